"""What a carrier would do with a message."""
