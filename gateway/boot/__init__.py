"""How a process begins: the shapes of a web process, what a clone makes for itself, and what is printed."""
