"""Databases and brokers."""

from .templates import Kind

KINDS = [
    Kind(
        "postgresql",
        "https://www.postgresql.org/docs/16/runtime-config-logging.html",
        "${%Y-%m-%d %H:%M:%S}.$ms UTC [$pid] $level:  $text",
        usual={
            "LOG": [
                "duration: $f ms  statement: SELECT * FROM ${word}s WHERE id = $n",
                "duration: $f ms  execute <unnamed>: UPDATE ${word}s SET state = $$1 WHERE id = $$2",
                "connection received: host=$ip port=$port",
                "connection authorized: user=$user database=shop application_name=psql",
                "disconnection: session time: 0:00:$d2.$d3 user=$user database=shop host=$ip port=$port",
                "checkpoint starting: time",
                "checkpoint complete: wrote $n buffers (0.3%); 0 WAL file(s) added, 0 removed, 1 recycled; write=$f s, "
                "sync=$f s, total=$f s",
                'automatic vacuum of table "shop.public.${word}s": index scans: $d1\n\tpages: 0 removed, $n remain, $n '
                "scanned (1.15% of total)\n"
                "\ttuples: $n removed, $n remain, 0 are dead but not yet removable",
                'automatic analyze of table "shop.public.${word}s"',
                "process $pid still waiting for ShareLock on transaction $n after 1000.$d3 ms",
                "process $pid acquired ShareLock on transaction $n after $d4.$d3 ms",
                "received SIGHUP, reloading configuration files",
                'parameter "work_mem" changed to "64MB"',
                'temporary file: path "base/pgsql_tmp/pgsql_tmp$pid.$d1", size $bytes',
            ],
            "DETAIL": ["parameters: $$1 = '$word', $$2 = '$n'"],
            "STATEMENT": ["SELECT count(*) FROM ${word}s WHERE created_at > now() - interval '1 day'"],
            "WARNING": [
                "there is no transaction in progress",
                "terminating connection because of crash of another server process",
            ],
        },
        errors={
            "ERROR": [
                'relation "${word}s" does not exist at character $d2',
                "deadlock detected",
                'duplicate key value violates unique constraint "${word}s_pkey"',
                "canceling statement due to statement timeout",
                'column "$word" of relation "${word}s" does not exist',
                "could not serialize access due to concurrent update",
            ],
            "FATAL": ['password authentication failed for user "$user"', "sorry, too many clients already"],
            "PANIC": ['could not write to file "pg_wal/xlogtemp.$pid": No space left on device'],
        },
    ),
    Kind(
        "mysql error",
        "https://dev.mysql.com/doc/refman/8.0/en/error-log-format.html",
        "${%Y-%m-%dT%H:%M:%S}.${us}Z $d2 [$level] $text",
        usual={
            "System": [
                "[MY-010116] [Server] /usr/sbin/mysqld (mysqld 8.0.37) starting as process $pid",
                "[MY-013576] [InnoDB] InnoDB initialization has started.",
                "[MY-013577] [InnoDB] InnoDB initialization has ended.",
                "[MY-010931] [Server] /usr/sbin/mysqld: ready for connections. Version: '8.0.37'  socket: "
                "'/run/mysqld/mysqld.sock'  port: 3306.",
                "[MY-013172] [Server] Received SHUTDOWN from user root. Shutting down mysqld (Version: 8.0.37).",
                "[MY-010910] [Server] /usr/sbin/mysqld: Shutdown complete (mysqld 8.0.37)  MySQL Community Server - GPL.",
                "[MY-010597] [Repl] 'CHANGE REPLICATION SOURCE TO FOR CHANNEL '' executed'. New state source_host='$host', "
                "source_port= 3306",
            ],
            "Note": [
                "[MY-010914] [Server] Aborted connection $n to db: 'shop' user: '$user' host: '$ip' (Got an error reading "
                "communication packets).",
                "[MY-010926] [Server] Access denied for user '$user'@'$ip' (using password: YES)",
                "[MY-012553] [InnoDB] Log scan progressed past the checkpoint lsn $n",
                "[MY-011025] [Repl] Failed to start replica threads for channel ''.",
                "[MY-010733] [Server] Shutting down plugin '$word'",
                "[MY-010118] [Server] Binlog end",
                "[MY-012922] [InnoDB] Waiting for purge to start",
                "[MY-013041] [InnoDB] 8.0.37 started; log sequence number $n",
            ],
            "Warning": [
                "[MY-010068] [Server] CA certificate ca.pem is self signed.",
                "[MY-013360] [Server] Plugin mysql_native_password reported: deprecated",
                "[MY-010055] [Server] IP address '$ip' could not be resolved: Name or service not known",
            ],
        },
        errors={
            "ERROR": [
                "[MY-012592] [InnoDB] Operating system error number 2 in a file operation.",
                "[MY-010584] [Repl] Replica SQL for channel '': Could not execute Update_rows event on table shop.${word}s; "
                "Can't find record, "
                "Error_code: MY-001032",
                "[MY-012574] [InnoDB] Unable to lock ./ibdata1 error: 11",
                "[MY-010119] [Server] Aborting",
                "[MY-011263] [Server] Disk is full writing './binlog.$d6' (OS errno 28 - No space left on device).",
            ]
        },
    ),
    Kind(
        "mysql slow",
        "https://dev.mysql.com/doc/refman/8.0/en/slow-query-log.html",
        "# Time: ${%Y-%m-%dT%H:%M:%S}.${us}Z\n# User@Host: $user[$user] @  [$ip]  Id: $d5\n# Query_time: $f  Lock_time: "
        "0.000$d3 Rows_sent: $n  "
        "Rows_examined: $n\nSET timestamp=$epoch;\n$text",
        usual={
            "slow": [
                "SELECT * FROM ${word}s WHERE name LIKE '%$word%';",
                "SELECT COUNT(*) FROM ${word}s WHERE created_at > '2026-01-01';",
                "SELECT o.id, c.name FROM orders o JOIN customers c ON c.id = o.customer_id WHERE o.state = '$word' ORDER "
                "BY o.id LIMIT $d2;",
                "UPDATE ${word}s SET quantity = quantity - $d1 WHERE id = $n;",
                "DELETE FROM ${word}s WHERE expires_at < NOW();",
                "INSERT INTO ${word}s (id, name, value)\nVALUES ($n, '$word', '$x16');",
                "SELECT\n  id,\n  name\nFROM ${word}s\nWHERE id IN ($n, $n, $n);",
                "use shop;\nSELECT SLEEP($d1);",
                "ALTER TABLE ${word}s ADD INDEX idx_$word ($word);",
                "CALL refresh_$word($n);",
                "SELECT DISTINCT $word FROM ${word}s;",
                "SELECT MAX(id) FROM ${word}s FOR UPDATE;",
                "SELECT SUM(total) FROM ${word}s GROUP BY $word HAVING SUM(total) > $n;",
                "# administrator command: Quit;",
                "COMMIT;",
                "ANALYZE TABLE ${word}s;",
                "TRUNCATE TABLE ${word}_tmp;",
            ]
        },
        errors={
            "failing": [
                "SELECT * FROM ${word}s WHERE error_code = $n;",
                "INSERT INTO errors (message) VALUES ('ERROR: $word failed');",
                "SELECT message FROM log WHERE level = 'ERROR' ORDER BY id DESC LIMIT $d2;",
            ]
        },
    ),
    Kind(
        "redis",
        "https://redis.io/docs/latest/operate/oss_and_stack/management/config/",
        "$pid:M ${%d %b %Y %H:%M:%S}.$ms $level $text",
        usual={
            "*": [
                "$d3 changes in 60 seconds. Saving...",
                "Background saving started by pid $pid",
                "Background saving terminated with success",
                "DB saved on disk",
                "RDB: $d1 MB of memory used by copy-on-write",
                "Ready to accept connections tcp",
                "Server initialized",
                "Replica $ip:6379 asks for synchronization",
                "Partial resynchronization request from $ip:6379 accepted. Sending $n bytes of backlog starting from offset "
                "$n.",
                "Synchronization with replica $ip:6379 succeeded",
                "Starting automatic rewriting of AOF on 100% growth",
                "Background AOF rewrite finished successfully",
                "Fork CoW for RDB: current $d1 MB, peak $d1 MB, average $d1 MB",
                "Loading RDB produced by version 7.2.5",
                "monotonic clock: POSIX clock_gettime",
            ],
            "-": [
                "Accepted $ip:$port",
                "Client closed connection id=$n addr=$ip:$port",
                "DB 0: $n keys ($n volatile) in $n slots HT.",
            ],
            ".": ["Reading from client: Connection reset by peer", "$n clients connected ($d1 replicas), $bytes bytes in use"],
        },
        errors={
            "#": [
                "Can't save in background: fork: Cannot allocate memory",
                "MISCONF Redis is configured to save RDB snapshots, but it's currently unable to persist to disk.",
                "Connection with replica $ip:6379 lost.",
                "WARNING Memory overcommit must be enabled! Without it, a background save or replication may fail.",
                "Background saving error",
                "Error moving temp DB file temp-$pid.rdb on the final destination dump.rdb: No space left on device",
            ]
        },
    ),
    Kind(
        "mongodb",
        "https://www.mongodb.com/docs/manual/reference/log-messages/",
        '{"t":{"$$date":"${%Y-%m-%dT%H:%M:%S}.$ms+00:00"},"s":"$level",  $text}',
        usual={
            "I": [
                '"c":"NETWORK",  "id":22943,   "ctx":"listener","msg":"Connection '
                'accepted","attr":{"remote":"$ip:$port","uuid":{"uuid":{"$$uuid":"$uuid"}},"connectionId":$n,'
                '"connectionCount":$d3}',
                '"c":"NETWORK",  "id":22944,   "ctx":"conn$n","msg":"Connection '
                'ended","attr":{"remote":"$ip:$port","connectionId":$n,"connectionCount":$d3}',
                '"c":"NETWORK",  "id":51800,   "ctx":"conn$n","msg":"client '
                'metadata","attr":{"remote":"$ip:$port","client":"conn$n","doc":{"driver":{"name":"nodejs",'
                '"version":"6.7.0"},"os":{"type":"Linux"}}}',
                '"c":"COMMAND",  "id":51803,   "ctx":"conn$n","msg":"Slow '
                'query","attr":{"type":"command","ns":"shop.${word}s","command":{"find":"${word}s","filter":{"_id":$n}},'
                '"planSummary":"COLLSCAN","keysExamined":0,"docsExamined":$n,"nreturned":$d2,"durationMillis":$d3}',
                '"c":"COMMAND",  "id":51803,   "ctx":"conn$n","msg":"Slow '
                'query","attr":{"type":"update","ns":"shop.${word}s","keysExamined":1,"docsExamined":1,"nModified":1,'
                '"durationMillis":$d3}',
                '"c":"ACCESS",   "id":5286306, "ctx":"conn$n","msg":"Successfully '
                'authenticated","attr":{"client":"$ip:$port","isSpeculative":true,"mechanism":"SCRAM-SHA-256",'
                '"user":"$user","db":"admin"}',
                '"c":"STORAGE",  "id":22430,   "ctx":"Checkpointer","msg":"WiredTiger '
                'message","attr":{"message":{"ts_sec":$epoch,"session_name":"WT_SESSION.checkpoint","msg":"saving '
                'checkpoint snapshot min: $n"}}',
                '"c":"REPL",     "id":21392,   "ctx":"ReplCoord-$d1","msg":"New replica set config in '
                'use","attr":{"config":{"_id":"rs0","version":$d2,"term":$d1}}',
                '"c":"REPL",     "id":21215,   "ctx":"ReplCoord-$d1","msg":"Member is in new '
                'state","attr":{"hostAndPort":"$host:27017","newState":"SECONDARY"}',
                '"c":"ELECTION", "id":4615655, "ctx":"ReplCoord-$d1","msg":"Not starting an election, since we are not '
                'electable","attr":{"reason":"$word"}',
                '"c":"INDEX",    "id":20345,   "ctx":"conn$n","msg":"Index build: done '
                'building","attr":{"buildUUID":null,"namespace":"shop.${word}s","index":"${word}_1"}',
                '"c":"SHARDING", "id":22080,   "ctx":"conn$n","msg":"About to log metadata '
                'event","attr":{"namespace":"changelog","event":{"what":"moveChunk"}}',
                '"c":"CONTROL",  "id":20698,   "ctx":"main","msg":"***** SERVER RESTARTED *****"',
                '"c":"FTDC",     "id":23910,   "ctx":"ftdc","msg":"Serverstatus was very slow","attr":{"timeStats":{"after '
                'basic":$d3}}',
            ],
            "D1": [
                '"c":"QUERY",    "id":20914,   "ctx":"conn$n","msg":"Running query as sub-queries","attr":{"query":"$word"}'
            ],
            "W": [
                '"c":"CONTROL",  "id":22120,   "ctx":"initandlisten","msg":"Access control is not enabled for the database"',
                '"c":"NETWORK",  "id":4712102, "ctx":"ReplicaSetMonitor","msg":"Host failed in replica '
                'set","attr":{"host":"$host:27017","outcome":"$word"}',
            ],
        },
        errors={
            "E": [
                '"c":"STORAGE",  "id":20557,   "ctx":"initandlisten","msg":"DBException in initAndListen, '
                'terminating","attr":{"error":"DBPathInUse: $word"}',
                '"c":"STORAGE",  "id":22435,   "ctx":"WTJourn","msg":"WiredTiger error '
                'message","attr":{"error":28,"message":{"error_str":"No space left on device"}}',
                '"c":"NETWORK",  "id":23256,   "ctx":"conn$n","msg":"SSL peer certificate validation '
                'failed","attr":{"reason":"$word"}',
            ],
            "F": [
                '"c":"-",        "id":23091,   "ctx":"conn$n","msg":"Fatal '
                'assertion","attr":{"msgid":$d5,"file":"src/mongo/db/$word.cpp","line":$d3}'
            ],
        },
    ),
    Kind(
        "rabbitmq",
        "https://www.rabbitmq.com/docs/logging",
        "${%Y-%m-%d %H:%M:%S}.$us+00:00 [$level] <0.$d5.0> $text",
        usual={
            "info": [
                "accepting AMQP connection <0.$d5.0> ($ip:$port -> $ip:5672)",
                "connection <0.$d5.0> ($ip:$port -> $ip:5672): user '$user' authenticated and granted access to vhost '/'",
                "closing AMQP connection <0.$d5.0> ($ip:$port -> $ip:5672, vhost: '/', user: '$user')",
                "connection <0.$d5.0> ($ip:$port -> $ip:5672) has a client-provided name: $word#$n",
                "node rabbit@$host up",
                "rabbit on node rabbit@$host down",
                "Mirrored queue '$word' in vhost '/': Adding mirror on node rabbit@$host: <0.$d5.0>",
                "Server startup complete; $d1 plugins started.\n * rabbitmq_management\n * rabbitmq_web_dispatch",
                "Started message store of type transient for vhost '/'",
                "queue '$word' in vhost '/': election starting",
                "Created user '$user'",
                "Adding vhost '$word' (description: '', tags: [])",
                "Memory high watermark set to $d4 MiB ($d10 bytes) of $d4 MiB",
            ],
            "debug": [
                "Raising credentials validation for $user",
                "Peer discovery: $word",
                "Running boot step $word defined by app rabbit",
            ],
            "warning": [
                "closing AMQP connection <0.$d5.0> ($ip:$port -> $ip:5672, vhost: '/', user: '$user'):\nclient unexpectedly "
                "closed TCP connection",
                "memory resource limit alarm cleared on node 'rabbit@$host'",
                'Message store "$x8": rebuilding indices from scratch',
            ],
        },
        errors={
            "error": [
                "Channel error on connection <0.$d5.0> ($ip:$port -> $ip:5672, vhost: '/', user: '$user'), channel $d1:\n"
                "operation queue.declare caused a channel exception precondition_failed: inequivalent arg 'durable' for "
                "queue '$word' in vhost '/'",
                "Error on AMQP connection <0.$d5.0> ($ip:$port -> $ip:5672, state: starting):\nPLAIN login refused: user "
                "'$user' - invalid credentials",
                "closing AMQP connection <0.$d5.0> ($ip:$port -> $ip:5672):\n{handshake_timeout,frame_header}",
                "** Generic server <0.$d5.0> terminating\n** Last message in was {'$$gen_cast',$word}\n** When Server state "
                "== {state,$n}\n** Reason for termination ==\n** {badmatch,$word}",
            ],
            "critical": ["Queue index for '$word' is corrupt"],
        },
    ),
    Kind(
        "clickhouse",
        "https://clickhouse.com/docs/en/operations/server-configuration-parameters/settings#logger",
        "${%Y.%m.%d %H:%M:%S}.$us [ $pid ] {$uuid} <$level> $text",
        usual={
            "Debug": [
                "executeQuery: (from $ip:$port, user: $user) SELECT count() FROM ${word}s WHERE id = $n (stage: Complete)",
                "MemoryTracker: Peak memory usage (for query): $percent MiB.",
                "TCPHandler: Processed in $f sec.",
                "default.${word}s ($uuid) (SelectExecutor): Key condition: unknown",
                "HTTP-Session: $uuid Authenticating user '$user' from $ip:$port",
                "default.${word}s ($uuid): Merging $d1 parts: from 202601_$d4_${d4}_0 to 202601_$d4_${d4}_0 into Wide",
                "ContextAccess ($user): Access granted: SELECT(id) ON default.${word}s",
                "DNSResolver: Updating DNS cache",
                "DynamicQueryHandler: Done processing query",
                "MergeTask::PrepareStage: Merging $d1 parts",
            ],
            "Information": [
                "executeQuery: Read $n rows, $percent MiB in $f sec., $n rows/sec., $percent MiB/sec.",
                "Application: Ready for connections.",
                "CertificateReloader: One of paths is empty. Cannot apply new configuration for certificates.",
            ],
            "Trace": [
                "SystemLog (system.query_log): Flushing system log, $d2 entries to flush up to offset $n",
                "AsynchronousMetrics: MemoryTracking: was $percent MiB, peak $percent MiB",
                "default.${word}s ($uuid): Renaming temporary part tmp_merge_202601_$d4_${d4}_1",
                "HTTPHandler-factory: HTTP Request for HTTPHandler-factory. Method: $method, Address: $ip:$port",
                "Aggregator: Aggregated. $n to $d3 rows (from $percent KiB) in $f sec.",
            ],
            "Warning": [
                "Context: Server has databases (for example `$word`) with Ordinary engine",
                "default.${word}s: Too many parts ($d3)",
            ],
        },
        errors={
            "Error": [
                "executeQuery: Code: 60. DB::Exception: Table default.${word}s doesn't exist. (UNKNOWN_TABLE) (version "
                "24.3.2.23) (from $ip:$port) (in query: SELECT $n FROM ${word}s), Stack trace (when copying this message, "
                "always include the lines below):\n\n"
                "0. DB::Exception::Exception(DB::Exception::MessageMasked&&, int, bool) @ 0x000000000$x6\n1. DB::$word(int) "
                "@ 0x000000000$x6\n2. start_thread @ 0x00000000000$x4\n",
                "TCPHandler: Code: 210. DB::NetException: Connection reset by peer, while writing to socket ($ip:$port). "
                "(NETWORK_ERROR)",
                "MergeTreeBackgroundExecutor: Code: 243. DB::Exception: Cannot reserve $percent MiB, not enough space. "
                "(NOT_ENOUGH_SPACE)",
            ],
            "Fatal": ["BaseDaemon: (version 24.3.2.23) (from thread $pid) Received signal Segmentation fault (11)"],
        },
    ),
    Kind(
        "oracle alert",
        "https://docs.oracle.com/en/database/oracle/oracle-database/19/admin/monitoring-the-database.html",
        "${%Y-%m-%dT%H:%M:%S}.$us+00:00\n$text",
        usual={
            "message": [
                "Thread 1 advanced to log sequence $n (LGWR switch)\n  Current log# $d1 seq# $n mem# 0: "
                "/u01/oradata/ORCL/redo0$d1.log",
                "Archived Log entry $n added for T-1.S-$n ID 0x$x8 LAD:1",
                "Beginning log switch checkpoint up to RBA [0x$x4.2.10], SCN: $n",
                "Completed checkpoint up to RBA [0x$x4.2.10], SCN: $n",
                "Starting background process VKTM",
                "VKTM started with pid=$d1, OS id=$pid at elevated (RT) priority",
                "ALTER SYSTEM SET open_cursors=$d4 SCOPE=BOTH;",
                "Resize operation completed for file# $d1, fname /u01/oradata/ORCL/$word.dbf, old size $bytes K, new size "
                "$bytes K",
                "LGWR (PID:$pid): SRL selected for T-1.S-$n for LAD:2",
                'Begin automatic SQL Tuning Advisor run for special tuning task  "SYS_AUTO_SQL_TUNING_TASK"',
                'End automatic SQL Tuning Advisor run for special tuning task  "SYS_AUTO_SQL_TUNING_TASK"',
                "Setting Resource Manager plan DEFAULT_MAINTENANCE_PLAN via parameter",
                "Closing scheduler window",
                "TABLE SYS.WRP$$_REPORTS: ADDED INTERVAL PARTITION SYS_P$n ($d4) VALUES LESS THAN (TO_DATE(' 2026-01-06 "
                "00:00:00', 'SYYYY-MM-DD HH24:MI:SS'))",
                "Control autobackup written to DISK device\n\thandle '/u01/fra/c-$d10-20260105-00'",
                "Private strand flush not complete\n  Current log# $d1 seq# $n mem# 0: /u01/oradata/ORCL/redo0$d1.log",
            ]
        },
        errors={
            "error": [
                "Errors in file /u01/diag/rdbms/orcl/ORCL/trace/ORCL_ora_$pid.trc  (incident=$d5):\nORA-00600: internal "
                "error code, arguments: [$d5], [$n], [], [], [], []",
                "ORA-00060: Deadlock detected. See Note 60.1 at My Oracle Support for Troubleshooting ORA-60 Errors.",
                "ORA-1653: unable to extend table SHOP.$word by 128 in tablespace USERS",
                "***********************************************************************\nFatal NI connect error 12170.\n\n "
                " VERSION INFORMATION:\n\tTNS for Linux: Version 19.0.0.0.0 - Production\n"
                "  Tns error struct:\n    ns main err code: 12535\n    TNS-12535: TNS:operation timed out",
                "ORA-01555 caused by SQL statement below (SQL ID: $x12, Query Duration=$d4 sec, SCN: 0x$x16):",
            ]
        },
    ),
]
