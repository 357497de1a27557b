"""The verbs of the sandbox; a decision takes the time as an argument."""
