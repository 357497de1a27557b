-- What people call an account; NULL where nobody has named it.
ALTER TABLE accounts ADD COLUMN name TEXT;
