"""Does *this* request go through? The outer enforcement point, the inner one, and the exchange between them.

Nothing is named here, since most of it does I/O; import from `launchworthy.enforcement.gate` (`Gate`,
`GateConfig`), `.exchange` (`build_exchange`), `.protocol` (`bounded_protocol`), `.published` (`published`).
"""
