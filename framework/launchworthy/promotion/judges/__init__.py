"""Do others come to the same verdict? Programs that somebody else wrote, where they are installed."""
