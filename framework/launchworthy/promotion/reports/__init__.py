"""How is a result shown? Renderings of one result object, nothing decided here."""
