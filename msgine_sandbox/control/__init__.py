"""The sandbox's own surface under `/_sandbox`: what only a sandbox can give."""
