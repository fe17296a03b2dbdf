"""What does a server accept that it must not? Black-box cases as data, each beside an unchanged twin."""
