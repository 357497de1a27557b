-- How many attempts an account has and how many bytes they take, so that a bound on them costs the
-- same at a hundred thousand as at ten. Account 0 stands for all accounts.
CREATE TABLE attempt_totals (
    account  INTEGER PRIMARY KEY,
    entries  INTEGER NOT NULL,
    size     INTEGER NOT NULL
);
INSERT INTO attempt_totals
SELECT account, count(*), sum(
    300 + length(CAST(url || coalesce(error, '') || request || coalesce(response, '') AS BLOB))
)
FROM attempts GROUP BY account;
INSERT INTO attempt_totals
SELECT 0, coalesce(sum(entries), 0), coalesce(sum(size), 0) FROM attempt_totals;
