"""How is what was found shown? Renderings, and the two formats that promotion shares."""
