"""What runs on a Java machine."""

from .templates import Kind

TRACE = (
    "\n\tat com.example.shop.$word.$class.invoke($class.java:$d3)\n\tat com.example.shop.$word.$class.run($class.java:$d2)"
    "\n\tat java.base/java.util.concurrent.ThreadPoolExecutor.runWorker(ThreadPoolExecutor.java:1136)"
    "\n\tat java.base/java.lang.Thread.run(Thread.java:840)"
)
CAUSE = TRACE + "\nCaused by: java.net.SocketTimeoutException: Read timed out\n\t... $d2 more"

KINDS = [
    Kind(
        "spring boot",
        "https://docs.spring.io/spring-boot/reference/features/logging.html",
        "${%Y-%m-%dT%H:%M:%S}.${ms}Z $level $pid --- [shop] [nio-8080-exec-$d1] $text",
        usual={
            " INFO": [
                "c.e.shop.web.RequestLog               : $method $path 200 in $d2 ms",
                "c.e.shop.order.OrderService           : order $uuid created for customer $n",
                "c.e.shop.cart.CartService             : $d1 items in cart of $user",
                "o.s.b.w.embedded.tomcat.TomcatWebServer  : Tomcat started on port 8080 (http) with context path '/'",
                "com.zaxxer.hikari.HikariDataSource       : HikariPool-1 - Start completed.",
                "o.a.k.c.c.internals.ConsumerCoordinator  : [Consumer clientId=consumer-$word-1, groupId=$word] "
                "Successfully joined group with generation $n",
                "o.s.web.servlet.DispatcherServlet        : Completed initialization in $d1 ms",
                "c.e.shop.batch.BatchJob               : Job $word completed: read=$n, written=$n, skipped=$d1",
                "o.h.e.t.j.p.i.JtaPlatformInitiator       : HHH000489: No JTA platform available",
                "c.e.shop.mail.Mailer                  : sent mail to customer $n, template=$word",
            ],
            "DEBUG": [
                'o.s.web.servlet.DispatcherServlet        : GET "$path", parameters={}',
                "o.s.w.s.m.m.a.RequestResponseBodyMethodProcessor : Writing [{$word=$n}]",
                "org.hibernate.SQL                        : select o1_0.id,o1_0.state from orders o1_0 where "
                "o1_0.customer_id=?",
                "com.zaxxer.hikari.pool.HikariPool        : HikariPool-1 - Pool stats (total=10, active=$d1, idle=$d1, "
                "waiting=0)",
                "o.s.jdbc.core.JdbcTemplate               : Executing prepared SQL query",
            ],
            " WARN": [
                "c.e.shop.client.$class  : retry $d1 of $word after $d3 ms",
                "o.h.e.jdbc.spi.SqlExceptionHelper        : SQL Error: 0, SQLState: 08006",
            ],
        },
        errors={
            "ERROR": [
                "o.a.c.c.C.[.[.[/].[dispatcherServlet]    : Servlet.service() for servlet [dispatcherServlet] threw "
                'exception\n\njava.lang.NullPointerException: Cannot invoke "$class.getId()" because "$word" is null' + TRACE,
                "c.e.shop.client.$class   : cannot reach $word service"
                + '\norg.springframework.web.client.ResourceAccessException: I/O error on GET request for "http://$host$path"'
                + CAUSE,
                "o.h.engine.jdbc.spi.SqlExceptionHelper   : ERROR: duplicate key value violates unique constraint "
                '"${word}_pkey"',
                "c.e.shop.batch.BatchJob               : Job $word failed after $n records",
            ]
        },
    ),
    Kind(
        "log4j",
        "https://logging.apache.org/log4j/2.x/manual/pattern-layout.html",
        "${%Y-%m-%d %H:%M:%S},$ms $level [$word-thread-$d1] $text",
        usual={
            "INFO ": [
                "org.apache.hadoop.hdfs.StateChange - BLOCK* allocate blk_$d10_$d4, replicas=$ip:9866, $ip:9866 for $file",
                "org.apache.hadoop.hdfs.server.datanode.DataNode - Receiving BP-$d9-$ip-$epochms:blk_$d10_$d4 src: "
                "/$ip:$port dest: /$ip:9866",
                "org.apache.hadoop.hdfs.server.datanode.DataNode - PacketResponder: BP-$d9-$ip-$epochms:blk_$d10_$d4, "
                "type=LAST_IN_PIPELINE terminating",
                "org.apache.hadoop.yarn.server.resourcemanager.scheduler.SchedulerNode - Assigned container "
                "container_$d10_$d4 of capacity <memory:$d4, vCores:1> on host $host:8041",
                "org.apache.zookeeper.server.NIOServerCnxn - Closed socket connection for client /$ip:$port which had "
                "sessionid 0x$x16",
                "org.apache.zookeeper.server.ZooKeeperServer - Established session 0x$x16 with negotiated timeout 10000 for "
                "client /$ip:$port",
                "org.apache.spark.executor.Executor - Finished task $d1.0 in stage $d2.0 (TID $n). $d4 bytes result sent to "
                "driver",
                "org.apache.spark.storage.BlockManager - Found block rdd_${d2}_$d1 locally",
                "com.example.ingest.$class - handled $n ${word}s in $d3 ms",
                "org.apache.spark.scheduler.TaskSetManager - Starting task $d1.0 in stage $d2.0 (TID $n, $host, executor "
                "$d1, partition $d2, PROCESS_LOCAL, $d4 bytes)",
                "org.eclipse.jetty.server.Server - Started @${d4}ms",
            ],
            "DEBUG": [
                "org.apache.hadoop.ipc.Server - IPC Server handler $d2 on 8020: responding to Call#$n Retry#0",
                'org.apache.http.wire - http-outgoing-$d1 >> "GET $path HTTP/1.1[\\r][\\n]"',
                "com.example.ingest.$class - key=$word value=$n",
                "org.apache.kafka.clients.NetworkClient - [Producer clientId=producer-1] Sending metadata request for "
                "topics [$word]",
            ],
            "WARN ": [
                "org.apache.hadoop.hdfs.server.namenode.FSNamesystem - trying to get DT with no secret manager running",
                "org.apache.zookeeper.server.persistence.FileTxnLog - fsync-ing the write ahead log in SyncThread:1 took "
                "${d4}ms",
            ],
        },
        errors={
            "ERROR": [
                "org.apache.hadoop.hdfs.server.datanode.DataNode - $host:9866:DataXceiver error processing WRITE_BLOCK "
                "operation  src: /$ip:$port dst: /$ip:9866\njava.io.IOException: Premature EOF from inputStream" + TRACE,
                "com.example.ingest.$class - cannot store $word\njava.lang.IllegalStateException: $word is closed" + CAUSE,
                "org.apache.spark.scheduler.TaskSchedulerImpl - Lost executor $d1 on $host: Remote RPC client disassociated",
            ],
            "FATAL": [
                "org.apache.hadoop.hdfs.server.namenode.NameNode - Failed to start namenode.\njava.net.BindException: "
                "Problem binding to [$host:8020]" + TRACE
            ],
        },
    ),
    Kind(
        "kafka",
        "https://kafka.apache.org/documentation/",
        "[${%Y-%m-%d %H:%M:%S},$ms] $level $text",
        usual={
            "INFO": [
                "[GroupCoordinator $d1]: Preparing to rebalance group $word in state PreparingRebalance with old generation "
                "$n (kafka.coordinator.group.GroupCoordinator)",
                "[GroupCoordinator $d1]: Stabilized group $word generation $n (__consumer_offsets-$d2) with $d1 members "
                "(kafka.coordinator.group.GroupCoordinator)",
                "[Log partition=$word-$d1, dir=/var/lib/kafka/data] Rolled new log segment at offset $n in $d1 ms. "
                "(kafka.log.UnifiedLog)",
                "[ProducerStateManager partition=$word-$d1] Wrote producer snapshot at offset $n with 0 producer ids in $d1 "
                "ms. (kafka.log.ProducerStateManager)",
                "[LocalLog partition=$word-$d1, dir=/var/lib/kafka/data] Deleting segment files LogSegment(baseOffset=$n, "
                "size=$bytes, lastModifiedTime=$epochms) (kafka.log.LocalLog$$)",
                "[Partition $word-$d1 broker=$d1] Shrinking ISR from $d1,$d1 to $d1. Leader: (highWatermark: $n, endOffset: "
                "$n) (kafka.cluster.Partition)",
                "[Partition $word-$d1 broker=$d1] ISR updated to $d1,$d1 and version updated to $d2 (kafka.cluster.Partition)",
                "[ReplicaFetcherManager on broker $d1] Removed fetcher for partitions Set($word-$d1) "
                "(kafka.server.ReplicaFetcherManager)",
                "[SocketServer listenerType=ZK_BROKER, nodeId=$d1] Started socket server acceptors and processors "
                "(kafka.network.SocketServer)",
                "[Controller id=$d1] Processing automatic preferred replica leader election (kafka.controller.KafkaController)",
                "Kafka version: 3.7.0 (org.apache.kafka.common.utils.AppInfoParser)",
                "[KafkaServer id=$d1] started (kafka.server.KafkaServer)",
                "Created log for partition $word-$d1 in /var/lib/kafka/data/$word-$d1 with properties {} "
                "(kafka.log.LogManager)",
            ],
            "DEBUG": [
                "[Controller id=$d1] Topics not in preferred replica for broker $d1 Map() (kafka.controller.KafkaController)",
                "Processing expired session (kafka.zookeeper.ZooKeeperClient)",
            ],
            "TRACE": [
                "[Controller id=$d1 epoch=$d1] Received response UpdateMetadataResponseData(errorCode=0) for request "
                "UPDATE_METADATA with correlation id $n sent to broker $host:9092 (state.change.logger)"
            ],
            "WARN": [
                "[ReplicaFetcher replicaId=$d1, leaderId=$d1, fetcherId=0] Error in response for fetch request "
                "(type=FetchRequest, replicaId=$d1, maxWait=500) (kafka.server.ReplicaFetcherThread)",
                "Client session timed out, have not heard from server in ${d5}ms for session id 0x$x16 "
                "(org.apache.zookeeper.ClientCnxn)",
            ],
        },
        errors={
            "ERROR": [
                "[KafkaApi-$d1] Unexpected error handling request RequestHeader(apiKey=FETCH, apiVersion=13, "
                "clientId=$word, correlationId=$n) "
                "(kafka.server.KafkaApis)\norg.apache.kafka.common.errors.NotLeaderOrFollowerException: $word-$d1",
                "Error while writing to checkpoint file /var/lib/kafka/data/recovery-point-offset-checkpoint "
                "(kafka.server.LogDirFailureChannel)\njava.io.IOException: No space left on device" + TRACE,
                "[ReplicaManager broker=$d1] Error processing append operation on partition $word-$d1 "
                "(kafka.server.ReplicaManager)",
            ],
            "FATAL": [
                "[KafkaServer id=$d1] Fatal error during KafkaServer startup. Prepare to shutdown (kafka.server.KafkaServer)"
            ],
        },
    ),
    Kind(
        "elasticsearch",
        "https://www.elastic.co/guide/en/elasticsearch/reference/8.14/logging.html",
        "[${%Y-%m-%dT%H:%M:%S},$ms][$level][$text",
        usual={
            "INFO ": [
                "o.e.c.m.MetadataCreateIndexService] [$host] [$word-2026.01.05] creating index, cause [auto(bulk api)], "
                "templates [$word], shards [1]/[1]",
                "o.e.c.m.MetadataMappingService] [$host] [$word-2026.01.05/$x16] update_mapping [_doc]",
                'o.e.c.r.a.AllocationService] [$host] current.health="GREEN" message="Cluster health status changed from '
                '[YELLOW] to [GREEN] (reason: [shards started [[$word][0]]])."',
                "o.e.m.j.JvmGcMonitorService] [$host] [gc][$n] overhead, spent [${d3}ms] collecting in the last [1s]",
                "o.e.n.Node               ] [$host] started",
                "o.e.h.AbstractHttpServerTransport] [$host] publish_address {$ip:9200}, bound_addresses {0.0.0.0:9200}",
                "o.e.c.s.ClusterApplierService] [$host] added {{$host}{$x16}{$ip}{$ip:9300}{cdfhilmrstw}}, term: $d1, "
                "version: $n, reason: Publication{term=$d1, version=$n}",
                "o.e.i.s.IndexShard] [$host] [$word][$d1] primary-replica resync completed with $d1 operations",
                "o.e.x.i.IndexLifecycleTransition] [$host] moving index [$word-$d6] from [null] to "
                '[{"phase":"hot","action":"rollover","name":"check-rollover-ready"}] in policy [$word]',
                "o.e.s.SnapshotsService] [$host] snapshot [backup:$word-$d6/$x16] started",
                "o.e.s.SnapshotsService] [$host] snapshot [backup:$word-$d6/$x16] completed with state [SUCCESS]",
                "o.e.t.LoggingTaskListener] [$host] $n finished with response BulkByScrollResponse[took=${d3}ms,updated=$n]",
            ],
            "DEBUG": [
                "o.e.a.s.TransportSearchAction] [$host] [$x16] [$word][$d1] execute query phase",
                "o.e.i.e.Engine] [$host] [$word][$d1] Tragic event guard passed at $n",
            ],
            "WARN ": [
                "o.e.c.r.a.DiskThresholdMonitor] [$host] high disk watermark [90%] exceeded on "
                "[$x16][$host][/usr/share/elasticsearch/data] free: $percent GB[8.1%]",
                "o.e.m.j.JvmGcMonitorService] [$host] [gc][young][$n][$d4] duration [1.${d1}s], collections [1]/[1.${d1}s]",
                "o.e.t.TransportService] [$host] Received response for a request that has timed out, sent [${d5}ms] ago",
            ],
        },
        errors={
            "ERROR": [
                "o.e.i.g.GeoIpDownloader ] [$host] exception during geoip databases update\njava.net.UnknownHostException: "
                "geoip.elastic.co" + TRACE,
                "o.e.b.Bootstrap          ] [$host] node validation exception\n[1] bootstrap checks failed. You must "
                "address the points described in the following [1] lines before starting Elasticsearch.",
                "o.e.x.s.a.AuthenticationService] [$host] caught exception while handling client http traffic, closing "
                "connection $n",
                "o.e.a.b.TransportBulkAction] [$host] failed to execute pipeline [$word] for document [$word/_doc/$n]",
            ],
            "FATAL": [
                "o.e.b.ElasticsearchUncaughtExceptionHandler] [$host] fatal error in thread "
                "[elasticsearch[$host][write][T#$d1]], exiting\njava.lang.OutOfMemoryError: Java heap space" + TRACE
            ],
        },
    ),
    Kind(
        "java.util.logging",
        "https://docs.oracle.com/en/java/javase/21/docs/api/java.logging/java/util/logging/SimpleFormatter.html",
        "${%b %d, %Y %I:%M:%S %p} $text",
        usual={
            "INFO": [
                f"{source}\n{level}: {text}"
                for source, level, text in [
                    ("org.apache.catalina.core.StandardService startInternal", "INFO", "Starting service [Catalina]"),
                    ("com.example.shop.$class handle", "INFO", "handled $method $path in $d2 ms"),
                    ("org.apache.coyote.AbstractProtocol start", "INFO", 'Starting ProtocolHandler ["http-nio-8080"]'),
                    (
                        "org.apache.catalina.startup.HostConfig deployWAR",
                        "INFO",
                        "Deployment of web application archive [/srv/$word.war] has finished in [$d4] ms",
                    ),
                    ("com.example.shop.$class load", "FINE", "$n entries of $word loaded"),
                    ("com.example.shop.$class evict", "FINER", "evicted $word $n"),
                    ("com.example.shop.$class configure", "CONFIG", "$word.limit=$n"),
                    ("hudson.model.Run execute", "INFO", "$word #$n main build action completed: SUCCESS"),
                    ("hudson.WebAppMain$$3 run", "INFO", "Jenkins is fully up and running"),
                    ("jenkins.InitReactorRunner$$1 onAttained", "INFO", "Completed initialization"),
                    (
                        "hudson.slaves.NodeProvisioner lambda$$update$$6",
                        "INFO",
                        "$word provisioning successfully completed. We have now $d1 computer(s)",
                    ),
                    ("org.jboss.as.server.deployment start", "INFO", 'WFLYSRV0010: Deployed "$word.war"'),
                    ("com.example.shop.$class entering", "FINEST", "ENTRY $word"),
                    ("com.example.shop.$class retry", "WARNING", "retrying $word in $d2 s"),
                    (
                        "org.apache.catalina.loader.WebappClassLoaderBase clearReferencesThreads",
                        "WARNING",
                        "The web application [$word] appears to have started a thread named [$word] but has failed to stop it.",
                    ),
                    ("com.example.shop.$class poll", "INFO", "$n messages of $word in $f s"),
                ]
            ]
        },
        errors={
            "SEVERE": [
                "org.apache.catalina.core.StandardWrapperValve invoke\nSEVERE: Servlet.service() for servlet [$word] in "
                "context with path [] threw exception\njava.lang.IllegalArgumentException: $word" + TRACE,
                "com.example.shop.$class store\nSEVERE: cannot store $word $n",
                "org.apache.catalina.core.StandardContext startInternal\nSEVERE: One or more listeners failed to start. "
                "Full details will be found in the appropriate container log file",
                "com.example.shop.$class connect\nSEVERE: $host refused\njava.net.ConnectException: Connection refused" + CAUSE,
            ]
        },
    ),
    Kind(
        "jvm gc",
        "https://openjdk.org/jeps/271",
        "[${%Y-%m-%dT%H:%M:%S}.$ms+0000][${uptime}s][$level][$text",
        usual={
            "info": [
                "gc,start     ] GC($n) Pause Young (Normal) (G1 Evacuation Pause)",
                "gc,task      ] GC($n) Using $d1 workers of $d1 for evacuation",
                "gc,phases    ] GC($n)   Pre Evacuate Collection Set: 0.${d1}ms",
                "gc,phases    ] GC($n)   Merge Heap Roots: 0.${d1}ms",
                "gc,phases    ] GC($n)   Evacuate Collection Set: $d1.${d1}ms",
                "gc,phases    ] GC($n)   Post Evacuate Collection Set: 0.${d1}ms",
                "gc,heap      ] GC($n) Eden regions: $d3->0($d3)",
                "gc,heap      ] GC($n) Survivor regions: $d2->$d2($d2)",
                "gc,heap      ] GC($n) Old regions: $d3->$d3",
                "gc,metaspace ] GC($n) Metaspace: ${d5}K(${d5}K)->${d5}K(${d5}K)",
                "gc           ] GC($n) Pause Young (Normal) (G1 Evacuation Pause) ${d3}M->${d3}M(${d4}M) $d1.${d3}ms",
                "gc,cpu       ] GC($n) User=0.${d2}s Sys=0.0${d1}s Real=0.0${d1}s",
                "gc           ] GC($n) Concurrent Mark Cycle",
                "gc,marking   ] GC($n) Concurrent Scan Root Regions $d1.${d3}ms",
                "gc           ] GC($n) Pause Remark ${d3}M->${d3}M(${d4}M) $d1.${d3}ms",
                'safepoint    ] Safepoint "G1CollectForAllocation", Time since last: $d9 ns, Reaching safepoint: $d5 ns, At '
                "safepoint: $d7 ns, Total: $d7 ns",
            ],
            "debug": [
                "gc,ergo      ] GC($n) Running G1 Clear Card Table Task using 1 workers for 1 units of work for $d3 regions.",
                "gc,age       ] GC($n) Desired survivor size $bytes bytes, new threshold 15 (max threshold 15)",
            ],
        },
        errors={
            "warning": [
                "gc,alloc     ] worker-$d2: Retried waiting for GCLocker too often allocating $n words",
                "gc           ] GC($n) To-space exhausted",
            ],
            "error": ["gc           ] Out of memory: $word cannot allocate $bytes bytes"],
        },
    ),
    Kind(
        "minecraft",
        "https://minecraft.wiki/w/Tutorials/Setting_up_a_server",
        "[${%H:%M:%S}] [$text",
        usual={
            "INFO": [
                "Server thread/INFO]: <$user> $word $word $word",
                "Server thread/INFO]: $user joined the game",
                "Server thread/INFO]: $user left the game",
                "Server thread/INFO]: $user lost connection: Disconnected",
                "User Authenticator #$d1/INFO]: UUID of player $user is $uuid",
                "Server thread/INFO]: $user[/$ip:$port] logged in with entity id $n at ($d3.5, 64.0, -$d3.5)",
                "Server thread/INFO]: $user has made the advancement [Stone Age]",
                "Server thread/INFO]: $user was slain by Zombie",
                "Server thread/INFO]: Saving chunks for level 'ServerLevel[world]'/minecraft:overworld",
                "Server thread/INFO]: ThreadedAnvilChunkStorage (world): All chunks are saved",
                "Server thread/INFO]: Preparing spawn area: $d2%",
                "Worker-Main-$d1/INFO]: Preparing spawn area: $d2%",
                'Server thread/INFO]: Done (${f}s)! For help, type "help"',
                "Server thread/INFO]: $user issued server command: /tp $user",
                "Server thread/INFO]: Set the time to $n",
                "Server thread/INFO]: $user fell from a high place",
                "RCON Listener #1/INFO]: Thread RCON Client /$ip started",
            ],
            "WARN": [
                "Server thread/WARN]: Can't keep up! Is the server overloaded? Running ${d4}ms or $d2 ticks behind",
                "Server thread/WARN]: $user moved too quickly! $f,$f,$f",
            ],
        },
        errors={
            "ERROR": [
                "Server thread/ERROR]: Encountered an unexpected exception\njava.lang.NullPointerException: null" + TRACE,
                "Worker-Main-$d1/ERROR]: Couldn't load chunk [$d2, $d2]",
                "Server thread/ERROR]: Could not pass event PlayerJoinEvent to $word v1.$d1",
                "Server Watchdog/FATAL]: A single server tick took 60.00 seconds (should be max 0.05)",
            ]
        },
    ),
]
