"""Has a person signed in for exactly this matter? Proofs, kept, and believed by the trust policy only.

matter   what is approved, by digest; the sign-in's nonce is made of it
proof    an ID token with that nonce, verified
keys     of the approvers' issuer
"""
