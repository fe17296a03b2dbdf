"""What does a believable simulated world look like? Issuer, Workload API, server process, client."""
