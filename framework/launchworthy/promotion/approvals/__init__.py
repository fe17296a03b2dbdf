"""Has a person agreed to exactly this, and who? Proofs by sign-in: made, kept and believed."""
