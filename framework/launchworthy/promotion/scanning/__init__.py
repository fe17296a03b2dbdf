"""Where does a secret lie? The tree, its history, what was built of it, and a process's environment."""
