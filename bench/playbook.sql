-- The SQL of the playbook's numbered diagnostic steps, its errors put right (columns renamed since), one statement a step.
-- OrchestratorDatabaseDown 3
SELECT version();
-- NoActiveWorkers 2
SELECT worker_id, last_seen, processed_count FROM worker_heartbeat WHERE last_seen > now() - interval '10 minutes' ORDER BY last_seen DESC;
-- NoActiveWorkers 3
SELECT COUNT(*) AS pending_work FROM due_work WHERE run_at <= now() AND (locked_until IS NULL OR locked_until < now());
-- DatabaseSlowQueries 1
SELECT pid, now() - pg_stat_activity.query_start AS duration, query FROM pg_stat_activity WHERE (now() - pg_stat_activity.query_start) > interval '5 seconds' AND state = 'active';
-- DatabaseSlowQueries 2
SELECT blocked_locks.pid AS blocked_pid, blocking_locks.pid AS blocking_pid, blocked_activity.query AS blocked_statement, blocking_activity.query AS blocking_statement FROM pg_catalog.pg_locks blocked_locks JOIN pg_catalog.pg_stat_activity blocked_activity ON blocked_activity.pid = blocked_locks.pid JOIN pg_catalog.pg_locks blocking_locks ON blocking_locks.locktype = blocked_locks.locktype JOIN pg_catalog.pg_stat_activity blocking_activity ON blocking_activity.pid = blocking_locks.pid WHERE NOT blocked_locks.granted;
-- SchedulerOffline 2
SELECT COUNT(*) AS recent_schedules FROM due_work WHERE created_at > now() - interval '10 minutes';
-- HighQueueDepth 1
SELECT COUNT(*) AS total_pending, COUNT(*) FILTER (WHERE run_at <= now()) AS due_now, COUNT(*) FILTER (WHERE locked_until IS NOT NULL) AS locked, MIN(run_at) AS oldest_task, MAX(run_at) AS newest_task FROM due_work;
-- HighQueueDepth 2
SELECT COUNT(*) AS completed_last_hour, AVG(EXTRACT(EPOCH FROM (finished_at - started_at))) AS avg_execution_time FROM task_run WHERE finished_at > now() - interval '1 hour';
-- HighQueueDepth 3
SELECT worker_id, processed_count, last_seen, EXTRACT(EPOCH FROM (now() - last_seen)) AS seconds_since_heartbeat FROM worker_heartbeat ORDER BY processed_count DESC;
-- DiskSpaceCritical 4
SELECT schemaname, relname, pg_size_pretty(pg_total_relation_size(relid)) AS size FROM pg_stat_user_tables ORDER BY pg_total_relation_size(relid) DESC;
-- MemoryUsageCritical 3
SELECT setting AS shared_buffers, unit FROM pg_settings WHERE name = 'shared_buffers';
-- LowTaskThroughput 1
SELECT date_trunc('hour', started_at) AS hour, COUNT(*) AS tasks_processed, AVG(EXTRACT(EPOCH FROM (finished_at - started_at))) AS avg_duration FROM task_run WHERE started_at > now() - interval '24 hours' GROUP BY date_trunc('hour', started_at) ORDER BY hour DESC;
-- LowTaskThroughput 2
SELECT jsonb_array_length(payload->'pipeline') AS pipeline_length, COUNT(*) AS task_count, AVG(EXTRACT(EPOCH FROM (finished_at - started_at))) AS avg_duration FROM task t JOIN task_run tr ON t.id = tr.task_id WHERE tr.started_at > now() - interval '24 hours' GROUP BY jsonb_array_length(payload->'pipeline') ORDER BY pipeline_length;
