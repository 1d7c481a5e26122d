-- name: pragmas
-- WAL: readers never block the writer. foreign_keys: the user's own constraints count.
-- A checkpoint every 8,000 pages (32 MB) instead of 1,000: most of a commit's time was checkpoints (measured). Cache: 32 MB.
PRAGMA journal_mode = WAL;
PRAGMA foreign_keys = ON;
PRAGMA wal_autocheckpoint = 8000;
PRAGMA cache_size = -32000;

-- name: schema_1
CREATE TABLE anyorder_schema (version INTEGER NOT NULL);
INSERT INTO anyorder_schema (version) VALUES (1);
-- one row a guarded table: its key, the columns that events have named, its floor and greatest truncate (JSON)
CREATE TABLE anyorder_table (
    name TEXT PRIMARY KEY, key_columns TEXT NOT NULL, columns TEXT NOT NULL, floor TEXT NOT NULL, truncated TEXT,
    created INTEGER NOT NULL, adopt TEXT NOT NULL
) WITHOUT ROWID;
-- the known snapshot runs of each log, and the reset detector's state of each growing clock (JSON)
CREATE TABLE anyorder_lineage (scope TEXT NOT NULL, run TEXT NOT NULL, PRIMARY KEY (scope, run)) WITHOUT ROWID;
CREATE TABLE anyorder_growth (scope TEXT PRIMARY KEY, growth TEXT NOT NULL) WITHOUT ROWID;
-- how far each source is done
CREATE TABLE anyorder_frontier (source TEXT PRIMARY KEY, position TEXT NOT NULL) WITHOUT ROWID;
-- deliveries that could not be decided, with their exact bytes
CREATE TABLE anyorder_quarantine (
    id INTEGER PRIMARY KEY, table_name TEXT NOT NULL, entity TEXT NOT NULL, identity TEXT NOT NULL,
    reason TEXT NOT NULL, detail TEXT NOT NULL, state TEXT NOT NULL, retry INTEGER NOT NULL,
    first_seen REAL NOT NULL, last_seen REAL NOT NULL, count INTEGER NOT NULL,
    topic TEXT NOT NULL, part INTEGER NOT NULL, offset INTEGER NOT NULL, timestamp INTEGER, timestamp_type TEXT NOT NULL,
    key BLOB, value BLOB, headers TEXT NOT NULL
);
CREATE UNIQUE INDEX anyorder_quarantine_identity ON anyorder_quarantine (table_name, entity, identity);
CREATE INDEX anyorder_quarantine_open ON anyorder_quarantine (table_name, entity) WHERE state = 'open';
CREATE INDEX anyorder_quarantine_retry ON anyorder_quarantine (table_name, entity) WHERE state = 'open' AND retry = 1;

-- name: schema_2
-- the catalogue: which source table a target belongs to, and what was last declared of it (JSON); NULL: nothing was recorded yet
ALTER TABLE anyorder_table ADD COLUMN recorded TEXT;
UPDATE anyorder_schema SET version = 2;

-- name: schema_3
-- source and envelope of what the quarantine holds (JSON), which many entries share; NULL: held before this was kept, the opener's own
CREATE TABLE anyorder_provenance (id INTEGER PRIMARY KEY, provenance TEXT NOT NULL UNIQUE);
ALTER TABLE anyorder_quarantine ADD COLUMN provenance_id INTEGER;
UPDATE anyorder_schema SET version = 3;

-- name: schema_4
-- what a delivery that was refused for now waits for: one line for each row that must come (absent 0) or go (absent 1); awaited '': unknown, tried in
-- turn; '!': unknown, and it undid a transaction. own: the refused row's key, as a place. columns, place: by which a write of the awaited table finds
-- the line. checked, wanted: the condition on that table, column by column (JSON). fresh: nobody has looked yet whether it closes a ring
CREATE TABLE anyorder_waiting (
    id INTEGER PRIMARY KEY, entry INTEGER NOT NULL, table_name TEXT NOT NULL, entity TEXT NOT NULL, own TEXT NOT NULL,
    awaited TEXT NOT NULL, columns TEXT NOT NULL, place TEXT NOT NULL, absent INTEGER NOT NULL, checked TEXT NOT NULL, wanted TEXT NOT NULL,
    turn INTEGER NOT NULL, fresh INTEGER NOT NULL
);
CREATE INDEX anyorder_waiting_entry ON anyorder_waiting (entry);
CREATE INDEX anyorder_waiting_own ON anyorder_waiting (own);
CREATE INDEX anyorder_waiting_awaited ON anyorder_waiting (awaited, columns, place);
CREATE INDEX anyorder_waiting_turn ON anyorder_waiting (turn) WHERE awaited = '';
CREATE INDEX anyorder_waiting_fresh ON anyorder_waiting (entry) WHERE fresh = 1;
-- what an older anyorder held: it did not say what for
INSERT INTO anyorder_waiting (entry, table_name, entity, own, awaited, columns, place, absent, checked, wanted, turn, fresh)
SELECT id, table_name, entity, '', '', '', '', 0, '', '', id, 0 FROM anyorder_quarantine WHERE state = 'open' AND retry = 1;
DROP INDEX anyorder_quarantine_retry;
UPDATE anyorder_schema SET version = 4;

-- name: schema_5
-- Columns of a table of the user's own are ours only once an event names them: until now all of them were listed.
-- missing: the columns that events named and such a table lacks, and how many rows were written without each (JSON)
ALTER TABLE anyorder_table ADD COLUMN missing TEXT NOT NULL DEFAULT '{}';
UPDATE anyorder_table SET columns = '[]' WHERE created = 0;
UPDATE anyorder_schema SET version = 5;

-- name: schema_6
-- what the entry of a dispute lists: every content of its position, by a number. identity: by which it is found again. chosen: an operator's word chose
-- it. shown: what the row showed of it (JSON); else its delivery, and where neither is, it is the entry's own
CREATE TABLE anyorder_content (
    entry INTEGER NOT NULL, number INTEGER NOT NULL, table_name TEXT NOT NULL, entity TEXT NOT NULL, identity TEXT NOT NULL,
    chosen INTEGER NOT NULL, shown TEXT,
    topic TEXT, part INTEGER, offset INTEGER, timestamp INTEGER, timestamp_type TEXT, key BLOB, value BLOB, headers TEXT, provenance_id INTEGER,
    PRIMARY KEY (entry, number)
);
CREATE INDEX anyorder_content_identity ON anyorder_content (table_name, entity, identity);
-- when an entry was closed (seconds since 1970); NULL: it is open, or was closed before this was kept
ALTER TABLE anyorder_quarantine ADD COLUMN closed REAL;
UPDATE anyorder_schema SET version = 6;

-- name: schema_version
SELECT version FROM anyorder_schema;

-- name: lock
-- takes the write lock, writes nothing; refused where nothing may be written
UPDATE anyorder_schema SET version = version WHERE version < 0;

-- name: plain
-- a number and a text, as every connection reads them that converts nothing
SELECT version, name FROM anyorder_schema, sqlite_master WHERE name = 'anyorder_schema';

-- name: main_file
SELECT file FROM pragma_database_list WHERE name = 'main';

-- name: changes
SELECT changes();

-- name: has_schema
SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'anyorder_schema';

-- name: table_exists
SELECT 1 FROM sqlite_master WHERE type IN ('table', 'view') AND name = :name COLLATE NOCASE;

-- name: kind_of_name
-- what a name is the name of: a table, a view, an index (which share one space of names), or a virtual table (by its text)
SELECT CASE WHEN type = 'table' AND sql LIKE 'CREATE VIRTUAL TABLE%' THEN 'virtual table' ELSE type END
FROM sqlite_master WHERE type IN ('table', 'view', 'index') AND name = :name COLLATE NOCASE;

-- name: has_columns
-- also of what no file has: SQLite's built-in virtual tables (dbstat) answer to their names everywhere
SELECT 1 FROM pragma_table_xinfo(:name) LIMIT 1;

-- name: is_shadow
-- a table in which a virtual one keeps its content
SELECT 1 FROM pragma_table_list(:name) WHERE schema = 'main' AND type = 'shadow';

-- name: load_table
SELECT key_columns, columns, floor, truncated, created, adopt, missing FROM anyorder_table WHERE name = :name;

-- name: insert_table
INSERT INTO anyorder_table (name, key_columns, columns, floor, truncated, created, adopt)
VALUES (:name, :key_columns, :columns, :floor, NULL, :created, :adopt);

-- name: save_columns
UPDATE anyorder_table SET columns = :columns, key_columns = :key_columns WHERE name = :name;

-- name: save_adopt
UPDATE anyorder_table SET adopt = :adopt WHERE name = :name;

-- name: save_missing
UPDATE anyorder_table SET missing = :missing WHERE name = :name;

-- name: save_limits
UPDATE anyorder_table SET floor = :floor, truncated = :truncated WHERE name = :name;

-- name: tables
SELECT name, key_columns, columns, floor, truncated, created FROM anyorder_table ORDER BY name;

-- name: catalogue
-- the key of a table that is ours and that nobody has written yet was only said, perhaps by mistake
SELECT name, CASE WHEN created = 1 AND columns = '[]' THEN '[]' ELSE key_columns END, recorded, columns FROM anyorder_table ORDER BY name;

-- name: recorded
SELECT recorded FROM anyorder_table WHERE name = :name;

-- name: record
UPDATE anyorder_table SET recorded = :recorded WHERE name = :name;

-- name: create_memory
-- The memory of one table. live 0: a tombstone; since: when it was written (seconds since 1970).
CREATE TABLE IF NOT EXISTS {memory} (entity TEXT PRIMARY KEY, live INTEGER NOT NULL, since REAL NOT NULL, memory TEXT NOT NULL) WITHOUT ROWID;

-- name: create_memory_index
CREATE INDEX IF NOT EXISTS {index} ON {memory} (since) WHERE live = 0;

-- name: read_memories
SELECT entity, memory FROM {memory} WHERE entity IN (SELECT value FROM json_each(:entities));

-- name: write_memory
INSERT INTO {memory} (entity, live, since, memory) VALUES (?, ?, ?, ?)
ON CONFLICT (entity) DO UPDATE SET live = excluded.live, since = excluded.since, memory = excluded.memory;

-- name: adopt_memory
-- what an event has told of a key by now counts more than what its row holds
INSERT OR IGNORE INTO {memory} (entity, live, since, memory) VALUES (?, 1, ?, ?);

-- name: has_memory
SELECT 1 FROM {memory} WHERE entity = ?;

-- name: forget_memory
DELETE FROM {memory} WHERE entity = ?;

-- name: page_memories
SELECT entity, memory FROM {memory} WHERE entity > :after ORDER BY entity LIMIT :limit;

-- name: page_told
-- without the rows that were adopted whole: no event has told any of their columns
SELECT entity, memory FROM {memory} WHERE entity > :after AND substr(memory, 1, 20) <> '[[["adopted version"' ORDER BY entity LIMIT :limit;

-- name: old_tombstones
SELECT entity, memory FROM {memory} WHERE live = 0 AND since <= :before ORDER BY since LIMIT :limit;

-- name: count_memories
SELECT count(*), coalesce(sum(live), 0) FROM {memory};

-- name: any_live
SELECT 1 FROM {memory} WHERE live LIMIT 1;

-- name: open_entries
-- each with what came by its own delivery, and by those of other contents; what the row showed needs no second look
SELECT entity, q.id, 0, coalesce(provenance, ''), topic, part, offset, timestamp, timestamp_type, key, value, headers
FROM anyorder_quarantine AS q LEFT JOIN anyorder_provenance AS p ON p.id = q.provenance_id
WHERE state = 'open' AND table_name = :table AND entity IN (SELECT value FROM json_each(:entities))
UNION ALL
SELECT q.entity, q.id, c.number, coalesce(provenance, ''), c.topic, c.part, c.offset, c.timestamp, c.timestamp_type, c.key, c.value, c.headers
FROM anyorder_quarantine AS q JOIN anyorder_content AS c ON c.entry = q.id AND c.headers IS NOT NULL
LEFT JOIN anyorder_provenance AS p ON p.id = c.provenance_id
WHERE state = 'open' AND q.table_name = :table AND q.entity IN (SELECT value FROM json_each(:entities)) ORDER BY 2, 3;

-- name: any_open
SELECT EXISTS (SELECT 1 FROM anyorder_quarantine WHERE state = 'open' AND table_name = :table);

-- name: open_entities
SELECT DISTINCT entity FROM anyorder_quarantine WHERE state = 'open' AND table_name = :table AND entity <> '' ORDER BY entity;

-- name: open_entries_of
SELECT id FROM anyorder_quarantine WHERE state = 'open' AND table_name = :table AND entity = :entity ORDER BY id;

-- name: try_again
UPDATE anyorder_quarantine SET retry = 1 WHERE id = :id AND state = 'open' AND retry = 0 RETURNING table_name;

-- name: any_waiting
SELECT EXISTS (SELECT 1 FROM anyorder_waiting);

-- name: wait
INSERT INTO anyorder_waiting (entry, table_name, entity, own, awaited, columns, place, absent, checked, wanted, turn, fresh)
VALUES (:entry, :table, :entity, :own, :awaited, :columns, :place, :absent, :checked, :wanted,
    (SELECT coalesce(max(turn), 0) + 1 FROM anyorder_waiting INDEXED BY anyorder_waiting_turn WHERE awaited = ''), :fresh);

-- name: wait_no_more
DELETE FROM anyorder_waiting WHERE entry = :entry;

-- name: come
DELETE FROM anyorder_waiting WHERE id = :id;

-- name: await_another
UPDATE anyorder_waiting SET place = :place, fresh = 1 WHERE id = :id;

-- name: next_awaited_columns
-- one look into the index for each way in which rows of a table are awaited, however many lines there are
SELECT min(columns) FROM anyorder_waiting WHERE awaited = :awaited AND columns > :after;

-- name: awaiting
SELECT id, entry, table_name, entity, own, awaited, columns, place, absent, checked, wanted FROM anyorder_waiting
WHERE awaited = :awaited AND columns = :columns AND place IN (SELECT value FROM json_each(:places));

-- name: waiting_line
SELECT id, entry, table_name, entity, own, awaited, columns, place, absent, checked, wanted FROM anyorder_waiting WHERE id = :id;

-- name: waiting_entry
SELECT table_name, entity FROM anyorder_waiting WHERE entry = :entry LIMIT 1;

-- name: still_waits
SELECT EXISTS (SELECT 1 FROM anyorder_waiting WHERE entry = :entry);

-- name: in_turn
SELECT entry, table_name, entity, own FROM anyorder_waiting INDEXED BY anyorder_waiting_turn WHERE awaited = '' ORDER BY turn, id LIMIT :limit;

-- name: next_turn
UPDATE anyorder_waiting INDEXED BY anyorder_waiting_entry SET turn = (SELECT max(turn) + 1 FROM anyorder_waiting INDEXED BY anyorder_waiting_turn WHERE awaited = '')
WHERE entry IN (SELECT value FROM json_each(:entries)) AND awaited = '';

-- name: fresh
SELECT DISTINCT table_name, own FROM anyorder_waiting WHERE fresh = 1;

-- name: not_fresh
UPDATE anyorder_waiting SET fresh = 0 WHERE fresh = 1;

-- name: not_fresh_entry
UPDATE anyorder_waiting SET fresh = 0 WHERE entry = :entry AND fresh = 1;

-- name: fresh_again
UPDATE anyorder_waiting SET fresh = 1 WHERE entry = :entry AND columns <> '';

-- name: waiting_of
SELECT entry, table_name, entity, own, awaited, columns, place FROM anyorder_waiting WHERE own = :own AND table_name = :table COLLATE NOCASE ORDER BY entry;

-- name: waiting_in
SELECT DISTINCT entry, own FROM anyorder_waiting WHERE table_name = :table COLLATE NOCASE LIMIT :limit;

-- name: takers
-- of the same table: who wants what this row holds
SELECT DISTINCT table_name, own FROM anyorder_waiting
WHERE awaited = :awaited AND place = :place AND absent = 1 AND table_name = :awaited COLLATE NOCASE;

-- name: data_version
-- another number whenever another connection has written
PRAGMA data_version;

-- name: waiting_until
SELECT max(id), count(*) FROM (SELECT id FROM anyorder_waiting WHERE id > :after ORDER BY id LIMIT :limit);

-- name: conditions
SELECT DISTINCT awaited, absent, checked FROM anyorder_waiting NOT INDEXED WHERE id > :after AND id <= :until AND awaited NOT IN ('', '!');

-- name: fulfilled
-- condition: each checked column of the awaited table equals what is wanted of it
SELECT w.id FROM anyorder_waiting AS w NOT INDEXED WHERE id > :after AND id <= :until
AND awaited = :awaited AND absent = :absent AND checked = :checked
AND absent <> EXISTS (SELECT 1 FROM {table} AS t WHERE {condition});

-- name: foreign_keys
SELECT id, "table", "from", "to", on_update, on_delete FROM pragma_foreign_key_list(:name) ORDER BY id, seq;

-- name: ignores_checks
PRAGMA ignore_check_constraints;

-- name: ignore_checks
-- value: 1 or 0; it may change inside a transaction, and is the connection's
PRAGMA ignore_check_constraints = {value};

-- name: defers_foreign_keys
PRAGMA defer_foreign_keys;

-- name: defer_foreign_keys
-- value: 1 or 0; it ends with the transaction
PRAGMA defer_foreign_keys = {value};

-- name: referring
SELECT DISTINCT m.name FROM sqlite_master AS m, pragma_foreign_key_list(m.name) AS f WHERE m.type = 'table' AND f."table" = :name COLLATE NOCASE;

-- name: shape_of
SELECT name, type, "notnull", pk FROM pragma_table_info(:name);

-- name: unique_columns
-- an expression has no name
SELECT i.name, i.partial, c.name FROM pragma_index_list(:name) AS i, pragma_index_info(i.name) AS c WHERE i."unique" ORDER BY i.name, c.seqno;

-- name: recorded_key
SELECT key_columns FROM anyorder_table WHERE name = :name COLLATE NOCASE;

-- name: find_rows
SELECT * FROM {table} WHERE {condition};

-- name: has_followers
-- do rows of guarded tables change, or go, with the rows of this one?
SELECT EXISTS (SELECT 1 FROM anyorder_table AS t, pragma_foreign_key_list(t.name) AS f WHERE f."table" = :name COLLATE NOCASE
AND (on_delete NOT IN ('NO ACTION', 'RESTRICT') OR on_update NOT IN ('NO ACTION', 'RESTRICT')));

-- name: hold
-- The same event again is not a second entry. A settled entry whose event is held again is open again; a dropped one stays dropped.
INSERT INTO anyorder_quarantine (table_name, entity, identity, reason, detail, state, retry, first_seen, last_seen, count,
    topic, part, offset, timestamp, timestamp_type, key, value, headers, provenance_id)
VALUES (:table, :entity, :identity, :reason, :detail, 'open', :retry, :now, :now, 1,
    :topic, :partition, :offset, :timestamp, :timestamp_type, :key, :value, :headers, (SELECT id FROM anyorder_provenance WHERE provenance = :provenance))
ON CONFLICT (table_name, entity, identity) DO UPDATE SET
    last_seen = max(last_seen, excluded.last_seen),
    count = CASE WHEN state = 'settled' THEN 1 ELSE count + 1 END,
    reason = CASE WHEN state = 'settled' THEN excluded.reason ELSE reason END,
    retry = CASE WHEN state = 'settled' THEN excluded.retry ELSE retry END,
    closed = CASE WHEN state = 'settled' THEN NULL ELSE closed END,
    state = CASE WHEN state = 'settled' THEN 'open' ELSE state END
RETURNING id, count, state;

-- name: listing
-- the latest entry that lists a content, or is of it alone, and is open or closed by a word
SELECT q.id, q.state, max(coalesce(c.chosen, q.state = 'accepted')) FROM anyorder_quarantine AS q
LEFT JOIN anyorder_content AS c ON c.entry = q.id AND c.identity = :content
WHERE q.id = (
    SELECT max(id) FROM (
        SELECT c.entry AS id FROM anyorder_content AS c JOIN anyorder_quarantine AS q ON q.id = c.entry
        WHERE c.table_name = :table AND c.entity = :entity AND c.identity = :content AND q.state <> 'settled'
        UNION ALL
        SELECT id FROM anyorder_quarantine WHERE table_name = :table AND entity = :entity AND identity = :content AND state <> 'settled'
    )
) GROUP BY q.id;

-- name: open_alone
SELECT id FROM anyorder_quarantine WHERE table_name = :table AND entity = :entity AND identity = :content AND state = 'open';

-- name: seen_again
UPDATE anyorder_quarantine SET last_seen = max(last_seen, :now), count = count + 1 WHERE id = :id;

-- name: last_of_position
-- the latest entry of a dispute's position; after: what its identity begins with where it is not the first
SELECT id, state, identity FROM anyorder_quarantine WHERE table_name = :table AND entity = :entity
AND (identity = :identity OR substr(identity, 1, length(:after)) = :after) ORDER BY id DESC LIMIT 1;

-- name: contents
SELECT number, identity, chosen, coalesce(shown, ''), coalesce(provenance, ''), topic, part, offset, timestamp, timestamp_type, key, value, headers
FROM anyorder_content AS c LEFT JOIN anyorder_provenance AS p ON p.id = c.provenance_id WHERE entry = :entry ORDER BY number;

-- name: list_content
INSERT INTO anyorder_content (entry, number, table_name, entity, identity, chosen, shown, topic, part, offset, timestamp, timestamp_type, key, value,
    headers, provenance_id)
SELECT :entry, :number, table_name, entity, :identity, 0, :shown, :topic, :partition, :offset, :timestamp, :timestamp_type, :key, :value, :headers,
    (SELECT id FROM anyorder_provenance WHERE provenance = :provenance)
FROM anyorder_quarantine WHERE id = :entry;

-- name: choose
UPDATE anyorder_content SET chosen = number IN (SELECT value FROM json_each(:chosen)) WHERE entry = :entry;

-- name: waits_for
-- What was held for another reason keeps its detail.
UPDATE anyorder_quarantine SET detail = :why WHERE id = :entry AND reason = 'waiting';

-- name: intern_provenance
INSERT OR IGNORE INTO anyorder_provenance (provenance) VALUES (:provenance);

-- name: settle
-- the cause stays readable; what it came to is put behind it
UPDATE anyorder_quarantine SET state = :state, last_seen = :now, closed = :now, detail = CASE WHEN detail = '' THEN :detail ELSE detail || '; then ' || :detail END
WHERE id = :id AND state = 'open';

-- name: reread
UPDATE anyorder_quarantine SET reason = :reason, detail = :detail,
    provenance_id = (SELECT id FROM anyorder_provenance WHERE provenance = :provenance)
WHERE id = :id AND state = 'open';

-- name: entries
SELECT id, table_name, entity, reason, detail, state, first_seen, last_seen, count, identity, coalesce(closed, 0) FROM anyorder_quarantine
WHERE (:state = '' OR state = :state) AND (:table = '' OR table_name = :table) AND (:entity = '' OR entity = :entity)
AND (:reason = '' OR reason IN (:reason, :former)) AND id > :after
ORDER BY id LIMIT :limit;

-- name: count_open
-- by the index of what is open, however much was ever held
SELECT count(*) FROM anyorder_quarantine INDEXED BY anyorder_quarantine_open WHERE state = 'open';

-- name: open_among
SELECT id FROM anyorder_quarantine WHERE id IN (SELECT value FROM json_each(:numbers)) AND state = 'open';
-- name: entries_of_key
-- by the index whatever the planner thinks of the order: there may be very many entries, and there are few of a key
SELECT id, table_name, entity, reason, detail, state, first_seen, last_seen, count, identity, coalesce(closed, 0)
FROM anyorder_quarantine INDEXED BY anyorder_quarantine_identity WHERE table_name = :table AND entity = :entity
AND (:state = '' OR state = :state) AND (:reason = '' OR reason IN (:reason, :former)) AND id > :after
ORDER BY id LIMIT :limit;

-- name: entry
SELECT q.id, table_name, entity, reason, detail, state, first_seen, last_seen, count, identity, coalesce(closed, 0),
    coalesce(provenance, ''), topic, part, offset, timestamp, timestamp_type, key, value, headers
FROM anyorder_quarantine AS q LEFT JOIN anyorder_provenance AS p ON p.id = q.provenance_id WHERE q.id = :id;

-- name: quarantine_size
SELECT (SELECT coalesce(sum(coalesce(length(key), 0) + coalesce(length(value), 0) + length(headers) + 200), 0) FROM anyorder_quarantine)
    + (SELECT coalesce(sum(coalesce(length(key), 0) + coalesce(length(value), 0) + coalesce(length(headers), 0) + coalesce(length(shown), 0) + 200), 0)
       FROM anyorder_content);

-- name: lineage
SELECT scope, run FROM anyorder_lineage ORDER BY scope, run;

-- name: add_run
INSERT OR IGNORE INTO anyorder_lineage (scope, run) VALUES (:scope, :run);

-- name: growths
SELECT scope, growth FROM anyorder_growth WHERE scope IN (SELECT value FROM json_each(:scopes));

-- name: all_growths
SELECT scope, growth FROM anyorder_growth ORDER BY scope;

-- name: save_growth
INSERT INTO anyorder_growth (scope, growth) VALUES (?, ?) ON CONFLICT (scope) DO UPDATE SET growth = excluded.growth;

-- name: frontier
SELECT position FROM anyorder_frontier WHERE source = :source;

-- name: save_frontier
INSERT INTO anyorder_frontier (source, position) VALUES (:source, :position) ON CONFLICT (source) DO UPDATE SET position = excluded.position;

-- name: insert_row
-- columns and key are quoted, validated identifiers. OR ABORT: what the user's table says of its own conflicts would drop
-- rows without a word. excluded holds the column's own default where the row names no value.
INSERT OR ABORT INTO {table} ({columns}) VALUES ({places})
ON CONFLICT ({key}) DO UPDATE SET {assignments}{exactly};

-- name: update_row
UPDATE OR ABORT {table} SET {assignments} WHERE {condition};

-- name: explain
-- it prepares a statement (which brings its own semicolon), and runs nothing of it
EXPLAIN {statement}

-- name: read_row
SELECT * FROM {table} WHERE {condition};

-- name: row_exists
SELECT 1 FROM {table} WHERE {condition};

-- name: read_value
SELECT {column} FROM {table} WHERE {condition};

-- name: every_row
SELECT {columns} FROM {table};

-- name: first_rows
SELECT {columns} FROM {table} ORDER BY {place} LIMIT ?;

-- name: next_rows
SELECT {columns} FROM {table} WHERE ({place}) > ({places}) ORDER BY {place} LIMIT ?;

-- name: all_keys
SELECT {columns} FROM {table};

-- name: delete_row
DELETE FROM {table} WHERE {condition};

-- name: create_table
-- No column has a type: SQLite then stores every value exactly as the event spells it, converting nothing.
CREATE TABLE {table} ({columns}, PRIMARY KEY ({key}));

-- name: add_column
ALTER TABLE {table} ADD COLUMN {column};

-- name: any_row
SELECT 1 FROM {table} LIMIT 1;

-- name: key_classes
-- how the values of a key column are stored: the class, how many rows, one value as SQL spells it. bit: 0 or 1, as a
-- boolean is stored; far: a double beyond 64 bits
SELECT CASE
    WHEN typeof({column}) NOT IN ('integer', 'real') THEN typeof({column})
    WHEN {column} IN (0, 1) THEN 'bit'
    WHEN typeof({column}) = 'integer' THEN 'integer'
    WHEN abs({column}) > 1.7976931348623157e308 THEN 'infinite'
    WHEN {column} >= -9223372036854775808.0 AND {column} < 9223372036854775808.0 THEN 'real'
    ELSE 'far'
END AS class, count(*), quote(min({column})) FROM {table} GROUP BY class ORDER BY class;

-- name: count_rows
SELECT count(*) FROM {table};

-- name: file_schema
-- A number that changes with every CREATE, ALTER and DROP, whoever makes it.
PRAGMA schema_version;

-- name: columns_of
-- hidden: 0 of what can be written, not of generated columns
SELECT name, type, dflt_value, pk, hidden FROM pragma_table_xinfo(:name);

-- name: triggers_of
SELECT 1 FROM sqlite_master WHERE type = 'trigger' AND tbl_name = :name COLLATE NOCASE LIMIT 1;

-- name: is_strict
SELECT strict FROM pragma_table_list(:name) WHERE schema = 'main';

-- name: has_rowids
SELECT wr = 0 FROM pragma_table_list(:name) WHERE schema = 'main';

-- name: collations_of
SELECT DISTINCT x.name, x.coll FROM pragma_index_list(:name) AS i, pragma_index_xinfo(i.name) AS x
WHERE x.key = 1 AND x.name IS NOT NULL AND x.coll <> 'BINARY' COLLATE NOCASE;

-- name: cascades_of
SELECT DISTINCT "table" FROM pragma_foreign_key_list(:name) WHERE on_delete = 'CASCADE';

-- name: awaits_followers
WITH acting (child, action, "from") AS (
    SELECT t.name, 'ON DELETE ' || f.on_delete, f."from" FROM anyorder_table AS t, pragma_foreign_key_list(t.name) AS f
    WHERE f."table" = :name COLLATE NOCASE AND f.on_delete NOT IN ('NO ACTION', 'RESTRICT')
    UNION SELECT t.name, 'ON UPDATE ' || f.on_update, f."from" FROM anyorder_table AS t, pragma_foreign_key_list(t.name) AS f
    WHERE f."table" = :name COLLATE NOCASE AND f.on_update NOT IN ('NO ACTION', 'RESTRICT'))
SELECT w.awaited, group_concat(DISTINCT a.action), count(DISTINCT w.entry) FROM anyorder_waiting AS w, acting AS a
WHERE w.table_name = :name AND w.absent = 1 AND w.awaited = a.child COLLATE NOCASE
AND EXISTS (SELECT 1 FROM json_each(w.checked) AS c WHERE c.value = a."from" COLLATE NOCASE)
GROUP BY w.awaited ORDER BY w.awaited;

-- name: create_scratch
CREATE TABLE scratch (is_it INTEGER PRIMARY KEY, "TEXT" TEXT, "INTEGER" INTEGER, "REAL" REAL, "NUMERIC" NUMERIC);

-- name: fill_scratch
INSERT INTO scratch (is_it) VALUES (1);

-- name: convert
UPDATE scratch SET "{affinity}" = ?;

-- name: converted
SELECT "{affinity}" FROM scratch;

-- name: unique_indexes
-- not those of a part of the rows, nor those of an expression, which has no name
SELECT i.name, group_concat(c.name, char(0)) FROM pragma_index_list(:name) AS i, pragma_index_info(i.name) AS c
WHERE i."unique" AND i.partial = 0 GROUP BY i.name HAVING count(*) = count(c.name);
