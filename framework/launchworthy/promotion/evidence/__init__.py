"""What no machine can see from here: what evidence says, who writes it, and which of it counts."""
