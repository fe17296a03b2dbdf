"""What must a project change to follow the framework? Servers of others are read, and nothing is run."""
