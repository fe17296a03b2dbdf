"""What was asked, and which exit code answers it? Parsing and printing only."""
