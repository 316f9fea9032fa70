# The numbered diagnostic steps of the playbook's alerts, one after the other, as an engineer would type them.
# As the playbook has them, but for the names of the containers, the API's address, and `docker stats` that never ends.

#= sev0 OrchestratorAPIDown 1
curl -I $API_URL/health || echo "API completely down"
docker ps | grep api

#= sev0 OrchestratorAPIDown 2
docker logs "$API" --tail 50 | grep -E "(ERROR|FATAL|CRITICAL)"

#= sev0 OrchestratorAPIDown 3
docker exec "$POSTGRES" pg_isready -U orchestrator
docker exec "$REDIS" redis-cli ping

#= sev0 OrchestratorAPIDown 4
docker stats "$API" --no-stream
df -h
free -h

#= sev0 OrchestratorDatabaseDown 1
docker exec "$POSTGRES" pg_isready -U orchestrator

#= sev0 OrchestratorDatabaseDown 2
docker ps | grep postgres
docker logs "$POSTGRES" --tail 30

#= sev0 OrchestratorDatabaseDown 3
docker exec "$POSTGRES" psql -U orchestrator -c "SELECT version();"

#= sev0 OrchestratorDatabaseDown 4
df -h /var/lib/docker/volumes/
docker stats "$POSTGRES" --no-stream

#= sev0 NoActiveWorkers 1
docker ps | grep worker
docker logs "$WORKER" --tail 50

#= sev0 NoActiveWorkers 2
docker exec "$POSTGRES" psql -U orchestrator -c "
SELECT worker_id, last_seen, processed_count 
FROM worker_heartbeat 
WHERE last_seen > now() - interval '10 minutes'
ORDER BY last_seen DESC;
"

#= sev0 NoActiveWorkers 3
docker exec "$POSTGRES" psql -U orchestrator -c "
SELECT COUNT(*) as pending_work FROM due_work 
WHERE run_at <= now() AND (locked_until IS NULL OR locked_until < now());
"

#= sev0 NoActiveWorkers 4
docker stats "$WORKER" --no-stream

#= sev1 HighAPILatency 1
for i in {1..10}; do
  curl -s -w "Response time: %{time_total}s (HTTP %{http_code})\n" -o /dev/null $API_URL/health
done

#= sev1 HighAPILatency 2
docker stats "$API" --no-stream

#= sev1 HighAPILatency 3
docker exec "$POSTGRES" psql -U orchestrator -c "
SELECT query, calls, total_time/calls as avg_time_ms
FROM pg_stat_statements 
ORDER BY total_time DESC LIMIT 10;
"

#= sev1 HighAPILatency 4
docker logs "$POSTGRES" --since 10m | grep "slow query"

#= sev1 DatabaseSlowQueries 1
docker exec "$POSTGRES" psql -U orchestrator -c "
SELECT pid, now() - pg_stat_activity.query_start as duration, query 
FROM pg_stat_activity 
WHERE (now() - pg_stat_activity.query_start) > interval '5 seconds'
  AND state = 'active';
"

#= sev1 DatabaseSlowQueries 2
docker exec "$POSTGRES" psql -U orchestrator -c "
SELECT blocked_locks.pid as blocked_pid, blocking_locks.pid as blocking_pid,
       blocked_activity.query as blocked_statement,
       blocking_activity.query as blocking_statement
FROM pg_catalog.pg_locks blocked_locks
JOIN pg_catalog.pg_stat_activity blocked_activity ON blocked_activity.pid = blocked_locks.pid
JOIN pg_catalog.pg_locks blocking_locks ON blocking_locks.locktype = blocked_locks.locktype
JOIN pg_catalog.pg_stat_activity blocking_activity ON blocking_activity.pid = blocking_locks.pid
WHERE NOT blocked_locks.granted;
"

#= sev1 DatabaseSlowQueries 3
docker exec "$POSTGRES" psql -U orchestrator -c "
SELECT query, calls, total_time, mean_time, max_time
FROM pg_stat_statements 
WHERE mean_time > 1000  -- queries averaging >1 second
ORDER BY mean_time DESC LIMIT 15;
"

#= sev1 SchedulerOffline 1
docker ps | grep scheduler
docker logs "$SCHEDULER" --tail 100

#= sev1 SchedulerOffline 2
docker exec "$POSTGRES" psql -U orchestrator -c "
SELECT COUNT(*) as recent_schedules 
FROM due_work 
WHERE created_at > now() - interval '10 minutes';
"

#= sev1 SchedulerOffline 3
docker logs "$SCHEDULER" --since 15m | grep -E "(ERROR|EXCEPTION|FATAL)"

#= sev1 SchedulerOffline 4
docker exec "$SCHEDULER" python -c "
import asyncpg, asyncio
async def test(): 
    try:
        conn = await asyncpg.connect('postgresql://orchestrator:orchestrator_pw@postgres:5432/orchestrator')
        print('Scheduler DB connection: OK')
        await conn.close()
    except Exception as e: 
        print(f'Scheduler DB connection: FAILED - {e}')
asyncio.run(test())
" 2>/dev/null || echo "Scheduler container unreachable"

#= sev2 HighQueueDepth 1
docker exec "$POSTGRES" psql -U orchestrator -c "
SELECT 
  COUNT(*) as total_pending,
  COUNT(*) FILTER (WHERE run_at <= now()) as due_now,
  COUNT(*) FILTER (WHERE locked_until IS NOT NULL) as locked,
  MIN(run_at) as oldest_task,
  MAX(run_at) as newest_task
FROM due_work;
"

#= sev2 HighQueueDepth 2
docker exec "$POSTGRES" psql -U orchestrator -c "
SELECT 
  COUNT(*) as completed_last_hour,
  AVG(EXTRACT(EPOCH FROM (finished_at - started_at))) as avg_execution_time
FROM task_run 
WHERE finished_at > now() - interval '1 hour';
"

#= sev2 HighQueueDepth 3
docker exec "$POSTGRES" psql -U orchestrator -c "
SELECT 
  worker_id, 
  processed_count,
  last_seen,
  EXTRACT(EPOCH FROM (now() - last_seen)) as seconds_since_heartbeat
FROM worker_heartbeat 
ORDER BY processed_count DESC;
"

#= sev2 DiskSpaceCritical 1
df -h

#= sev2 DiskSpaceCritical 2
docker system df -v

#= sev2 DiskSpaceCritical 3
du -sh /var/lib/docker/volumes/* | sort -hr | head -20
du -sh /var/log/* | sort -hr | head -10

#= sev2 DiskSpaceCritical 4
docker exec "$POSTGRES" psql -U orchestrator -c "
SELECT 
  schemaname, 
  tablename,
  pg_size_pretty(pg_total_relation_size(schemaname||'.'||tablename)) as size
FROM pg_stat_user_tables 
ORDER BY pg_total_relation_size(schemaname||'.'||tablename) DESC;
"

#= sev2 MemoryUsageCritical 1
free -h
ps aux --sort=-%mem | head -20

#= sev2 MemoryUsageCritical 2
docker stats --no-stream --format "table {{.Name}}\t{{.MemUsage}}\t{{.MemPerc}}"

#= sev2 MemoryUsageCritical 3
docker exec "$POSTGRES" psql -U orchestrator -c "
SELECT 
  setting as shared_buffers,
  unit 
FROM pg_settings 
WHERE name = 'shared_buffers';
"

#= sev2 MemoryUsageCritical 4
# Look for continuously growing processes
docker stats --no-stream --format "table {{.Name}}\t{{.MemUsage}}" | head -10

#= sev3 BackupFailed 1
ls -la /backups/postgres/ | head -10
ls -la /backups/redis/ | head -10

#= sev3 BackupFailed 2
tail -50 /var/log/backups/$(date +%Y-%m-%d).log

#= sev3 BackupFailed 3
docker exec "$POSTGRES" pg_dump -U orchestrator orchestrator > test_backup_$(date +%Y%m%d_%H%M%S).sql
echo "Manual backup test size: $(wc -l < test_backup_$(date +%Y%m%d_%H%M%S).sql) lines"

#= sev3 BackupFailed 4
head -10 test_backup_$(date +%Y%m%d_%H%M%S).sql
tail -10 test_backup_$(date +%Y%m%d_%H%M%S).sql

#= sev3 LowTaskThroughput 1
docker exec "$POSTGRES" psql -U orchestrator -c "
SELECT 
  date_trunc('hour', started_at) as hour,
  COUNT(*) as tasks_processed,
  AVG(EXTRACT(EPOCH FROM (finished_at - started_at))) as avg_duration
FROM task_run 
WHERE started_at > now() - interval '24 hours'
GROUP BY date_trunc('hour', started_at)
ORDER BY hour DESC;
"

#= sev3 LowTaskThroughput 2
docker exec "$POSTGRES" psql -U orchestrator -c "
SELECT 
  jsonb_array_length(payload->'pipeline') as pipeline_length,
  COUNT(*) as task_count,
  AVG(EXTRACT(EPOCH FROM (finished_at - started_at))) as avg_duration
FROM task t
JOIN task_run tr ON t.id = tr.task_id
WHERE tr.started_at > now() - interval '24 hours'
GROUP BY jsonb_array_length(payload->'pipeline')
ORDER BY pipeline_length;
"
