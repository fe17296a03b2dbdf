"""How does a deployment look from outside, with its own authorization server and its own proxies in front?"""
