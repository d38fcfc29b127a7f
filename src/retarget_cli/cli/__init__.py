"""The command line: the only layer that knows a terminal, exit codes and signals."""
