"""The SQLite database: for each noun, one class that stores structs as rows and reads them back."""
