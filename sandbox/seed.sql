-- A system that has been at work for a few hours: tasks of each kind that matters, runs, and the trace of an old worker.
INSERT INTO task (id, title, description, created_by, schedule_kind, schedule_expr, payload, status, created_at)
SELECT id::uuid, title, title || ' (made by the sandbox)', '00000000-0000-0000-0000-000000000001', kind::schedule_kind,
       expr, jsonb_build_object('pipeline', pipeline::jsonb), status, now() - interval '7 days'
FROM (VALUES
    ('00000000-0000-4000-8000-000000000001', 'Minute report', 'cron', '* * * * *', 'active',
     '[{"id": "greet", "uses": "echo", "with": {"text": "good morning"}}, {"id": "end", "uses": "noop"}]'),
    ('00000000-0000-4000-8000-000000000002', 'Inbox sweep', 'rrule', 'FREQ=MINUTELY;INTERVAL=60', 'active',
     '[{"id": "sweep", "uses": "noop"}]'),
    ('00000000-0000-4000-8000-000000000003', 'Weekly digest', 'cron', '0 7 * * mon', 'paused',
     '[{"id": "digest", "uses": "noop"}]'),
    ('00000000-0000-4000-8000-000000000004', 'On new mail', 'event', 'mail.received', 'active',
     '[{"id": "file", "uses": "noop"}]'),
    ('00000000-0000-4000-8000-000000000005', 'Renew the certificate', 'once',
     to_char(now() AT TIME ZONE 'UTC' + interval '3 days', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'), 'active',
     '[{"id": "renew", "uses": "noop"}]')
) AS seed (id, title, kind, expr, status, pipeline);

-- One run a minute of the first task and one an hour of the second, over four hours; a few failed attempts.
INSERT INTO task_run (task_id, lease_owner, started_at, finished_at, success, error, created_at)
SELECT task, worker, at, at + interval '120 milliseconds', NOT failed, CASE WHEN failed THEN 'upstream answered 503' END, at
FROM (
    SELECT '00000000-0000-4000-8000-000000000001'::uuid AS task, 'worker-' || minute % 2 + 1 AS worker,
           date_trunc('minute', now()) - minute * interval '1 minute' AS at, minute % 40 = 7 AS failed
    FROM generate_series(1, 240) AS minute
    UNION ALL
    SELECT '00000000-0000-4000-8000-000000000002'::uuid, 'worker-1',
           date_trunc('minute', now()) - minute * interval '1 minute', false
    FROM generate_series(60, 240, 60) AS minute
) AS runs;

-- Rows of workers that are gone are never deleted.
INSERT INTO worker_heartbeat (worker_id, last_seen, processed_count, pid, hostname, created_at)
VALUES ('worker-00000000-0000-4000-8000-0000000000aa', now() - interval '3 days', 4711, 7, 'f00dcafe0001', now() - interval '9 days');

UPDATE agent SET created_at = now() - interval '9 days';

INSERT INTO audit_log (actor_agent_id, action, subject_id, at)
SELECT created_by, 'task.created', id, created_at FROM task;
