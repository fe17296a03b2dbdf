"""Who lends what? One file a broker; each is imported by the server only where the settings name it."""
