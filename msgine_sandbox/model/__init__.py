"""The nouns of the sandbox: values and pure rules, no input or output."""
