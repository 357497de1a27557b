"""The page in the browser: files that are served as they are, and speak to the APIs themselves."""
