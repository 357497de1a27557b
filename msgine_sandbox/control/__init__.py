"""The control API under `/_sandbox`: the functions that only a sandbox has."""
