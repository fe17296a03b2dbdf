"""What becomes of a caller's words in the package's source? Followed from arguments to where they do harm."""
