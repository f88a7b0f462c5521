"""What the loggers of languages and frameworks write."""

from .templates import Kind

PYTHON = (
    '\nTraceback (most recent call last):\n  File "/srv/app/$word/$word.py", line $d3, in $word\n    self.$word($n)\n'
    '  File "/srv/app/$word/client.py", line $d2, in request\n    raise TimeoutError("$word")\nTimeoutError: $word'
)
DOTNET = (
    "\n      System.InvalidOperationException: $word is not available\n         at Shop.$class.InvokeAsync(HttpContext "
    "context) in /src/Shop/$class.cs:line $d2"
    "\n         at Microsoft.AspNetCore.Routing.EndpointMiddleware.<Invoke>g__AwaitRequestTask|7_0(Endpoint endpoint, Task "
    "requestTask, ILogger logger)"
)
# What a service has to say, as a message with fields; for the loggers that write the same things in different ways.
SAID = {
    "debug": [
        ("cache lookup", {"key": "$word:$n", "hit": True}),
        ("query", {"table": "${word}s", "rows": "#$n"}),
        ("token checked", {"user": "$user"}),
    ],
    "info": [
        ("request served", {"method": "$method", "path": "$path", "status": "#200", "took": "#$f"}),
        ("request served", {"method": "GET", "path": "/healthz", "status": "#200", "took": "#$f"}),
        ("order created", {"order": "$uuid", "customer": "#$n", "items": "#$d1"}),
        ("message published", {"topic": "$word", "partition": "#$d1", "offset": "#$n"}),
        ("job finished", {"job": "$word-$n", "processed": "#$n", "failed": "#0"}),
        ("connected", {"peer": "$ip:$port"}),
        ("listening", {"addr": ":8080"}),
        ("config reloaded", {"file": "$file"}),
        ("user logged in", {"user": "$user", "ip": "$ip"}),
        ("mail sent", {"to": "$user@example.com", "template": "$word"}),
        ("cache warmed", {"entries": "#$n", "took": "#$f"}),
        ("leader elected", {"id": "$host", "term": "#$n"}),
        ("upload stored", {"bucket": "$word", "size": "#$bytes", "etag": "$x32"}),
    ],
    "warn": [
        ("slow query", {"table": "${word}s", "took": "#$f"}),
        ("retrying", {"attempt": "#$d1", "peer": "$host"}),
        ("rate limited", {"ip": "$ip", "limit": "#$d3"}),
    ],
    "error": [
        ("request failed", {"method": "$method", "path": "$path", "status": "#500", "error": "context deadline exceeded"}),
        ("cannot publish", {"topic": "$word", "error": "no leader for partition $d1"}),
        ("payment refused", {"order": "$uuid", "error": "card declined"}),
        ("database unreachable", {"host": "$host", "error": "dial tcp $ip:5432: connect: connection refused"}),
    ],
}


def in_json(message, fields, key):
    values = {
        name: value[1:] if str(value).startswith("#") else "true" if value is True else f'"{value}"'
        for name, value in fields.items()
    }
    return f'"{key}":"{message}"' + "".join(f',"{name}":{value}' for name, value in values.items())


def in_logfmt(message, fields):
    values = {
        name: str(value).removeprefix("#").lower() if value is True else str(value).removeprefix("#")
        for name, value in fields.items()
    }
    quoted = {name: f'"{value}"' if " " in value else value for name, value in values.items()}
    return f'msg="{message}"' + "".join(f" {name}={value}" for name, value in quoted.items())


def said(written, levels):
    """All that a service says: the levels as a logger names them, the texts as it writes them."""
    texts = {levels[level]: [written(message, fields) for message, fields in records] for level, records in SAID.items()}
    errors = {levels["error"]: texts.pop(levels["error"])}
    return {"usual": dict(sorted(texts.items(), key=lambda entry: entry[0] != levels["info"])), "errors": errors}


NAMED = {"debug": "debug", "info": "info", "warn": "warn", "error": "error"}

KINDS = [
    Kind(
        "zap json",
        "https://pkg.go.dev/go.uber.org/zap",
        '{"level":"$level","ts":$epoch.$us,"caller":"$word/server.go:$d3",$text}',
        **said(lambda message, fields: in_json(message, fields, "msg"), NAMED),
    ),
    Kind(
        "pino json",
        "https://getpino.io/#/docs/api",
        '{"level":$level,"time":$epochms,"pid":$pid,"hostname":"$host",$text}',
        **said(
            lambda message, fields: in_json(message, fields, "msg"), {"debug": "20", "info": "30", "warn": "40", "error": "50"}
        ),
    ),
    Kind(
        "ecs json",
        "https://www.elastic.co/guide/en/ecs-logging/java/current/intro.html",
        '{"@timestamp":"${%Y-%m-%dT%H:%M:%S}.${ms}Z","log.level":"$level",$text,"ecs.version":"1.2.0","service.name":"shop",'
        '"process.thread.name":"http-$d2","log.logger":"com.example.$class"}',
        **said(
            lambda message, fields: in_json(message, fields, "message"),
            {"debug": "DEBUG", "info": " INFO", "warn": " WARN", "error": "ERROR"},
        ),
    ),
    Kind(
        "logfmt",
        "https://pkg.go.dev/log/slog#TextHandler",
        "time=${%Y-%m-%dT%H:%M:%S}.${ms}Z level=$level $text",
        **said(in_logfmt, {level: level.upper() for level in NAMED}),
    ),
    Kind(
        "klog",
        "https://github.com/kubernetes/klog",
        "$level${%m%d %H:%M:%S}.$us       $d1 $text",
        usual={
            "I": [
                'scheduler.go:$d3] "Successfully bound pod to node" pod="default/$word-$x8" node="$host" evaluatedNodes=$d2 '
                "feasibleNodes=$d1",
                'kubelet.go:$d4] "SyncLoop (PLEG): event for pod" pod="default/$word-$x8" '
                'event={"ID":"$uuid","Type":"ContainerStarted","Data":"$x32"}',
                'httplog.go:132] "HTTP" verb="GET" URI="/api/v1/namespaces/default/pods/$word-$x8" latency="${f}ms" '
                'userAgent="kubelet/v1.30" srcIP="$ip:$port" resp=200',
                'garbagecollector.go:$d3] "Processing item" item="[v1/Pod, namespace: default, name: $word-$x8, uid: $uuid]"',
                'event.go:307] "Event occurred" object="default/$word" kind="Deployment" apiVersion="apps/v1" type="Normal" '
                'reason="ScalingReplicaSet" message="Scaled up replica set $word-$x8 to $d1"',
                'reconciler_common.go:$d3] "operationExecutor.MountVolume started for volume \\"config\\" (UniqueName: '
                '\\"kubernetes.io/configmap/$uuid-config\\") pod \\"$word-$x8\\""',
                'trace.go:236] Trace[$d9]: "List" accept:application/json, audit-id:$uuid,client:$ip,protocol:HTTP/2.0 '
                "(total time: ${d3}ms):",
                "leaderelection.go:260] successfully acquired lease kube-system/kube-scheduler",
                "controller.go:$d3] quota admission added evaluator for: ${word}s.apps",
                "shared_informer.go:320] Caches are synced for $word",
                'replica_set.go:$d3] "Too few replicas" replicaSet="default/$word-$x8" need=$d1 creating=1',
                'proxier.go:$d3] "SyncProxyRules complete" elapsed="${f}ms"',
                'alloc.go:330] "allocated clusterIPs" service="default/$word" clusterIPs={"IPv4":"$ip"}',
            ],
            "W": [
                "reflector.go:539] vendor/k8s.io/client-go/informers/factory.go:159: failed to list *v1.Node: nodes is "
                "forbidden",
                "warnings.go:70] policy/v1beta1 PodDisruptionBudget is deprecated in v1.21+",
                "dispatcher.go:$d3] Failed calling webhook, failing open $word.example.com",
            ],
        },
        errors={
            "E": [
                'kuberuntime_manager.go:$d4] "Unhandled Error" err="container $word start failed: '
                'CreateContainerConfigError: secret \\"$word\\" not found" pod="default/$word-$x8"',
                'pod_workers.go:1298] "Error syncing pod, skipping" err="failed to \\"StartContainer\\" for \\"$word\\" '
                'with CrashLoopBackOff" pod="default/$word-$x8" podUID="$uuid"',
                "leaderelection.go:332] error retrieving resource lock kube-system/kube-scheduler: Get "
                '"https://$ip:6443/apis": context deadline exceeded',
                "reflector.go:147] vendor/k8s.io/client-go/informers/factory.go:159: Failed to watch *v1.Pod: unknown",
            ],
            "F": ["server.go:$d3] leaderelection lost"],
        },
    ),
    Kind(
        "go log",
        "https://pkg.go.dev/log",
        "${%Y/%m/%d %H:%M:%S} $text",
        usual={
            "line": [
                "$method $path 200 ${f}ms",
                "GET /healthz 200 0.${d2}ms",
                "connected to $host:5432",
                "listening on :8080",
                "processed $n ${word}s in ${f}s",
                "cache: $n entries, $percent% hits",
                "worker $d1: job $uuid done",
                "accepted connection from $ip:$port",
                "http: TLS handshake error from $ip:$port: EOF",
                "reloading configuration from $file",
                "user $user logged in from $ip",
                "flushing $n ${word}s",
                "shutting down gracefully",
                "published $n messages to $word",
                "scheduler: next run of $word in ${d2}m",
                "uploaded $file ($bytes bytes)",
                "warning: $word is deprecated, use $word",
            ]
        },
        errors={
            "error": [
                "error: cannot open $file: no such file or directory",
                "ERROR: $word failed: context deadline exceeded",
                "http: panic serving $ip:$port: runtime error: index out of range [$d1] with length $d1\ngoroutine $d3 "
                "[running]:\nnet/http.(*conn).serve.func1()\n\t/usr/local/go/src/net/http/server.go:1898 "
                "+0xbe\npanic({0x$x6, 0xc000$x6})\n\t/usr/local/go/src/runtime/panic.go:770 "
                "+0x132\nmain.$word(0xc000$x6)\n\t/src/main.go:$d3 +0x$x4",
                "failed to publish to $word: no leader",
            ]
        },
    ),
    Kind(
        "env_logger",
        "https://docs.rs/env_logger",
        "[${%Y-%m-%dT%H:%M:%S}Z $level $text",
        usual={
            "INFO ": [
                "shop::http] $method $path -> 200 in ${d2}ms",
                "shop::orders] order $uuid stored",
                "actix_server::builder] starting $d1 workers",
                'actix_web::middleware::logger] $ip "GET $path HTTP/1.1" 200 $bytes "-" "curl/8.5.0" 0.000$d3',
                "shop::queue] $n messages of $word acknowledged",
                "shop] listening on 0.0.0.0:8080",
                "shop::cache] $n entries loaded from $file",
                "shop::jobs] job $word finished in ${f}s",
                "shop::users] $user logged in",
            ],
            "DEBUG": [
                'hyper::client::pool] reuse idle connection for ("http", $host)',
                "sqlx::query] SELECT id, name FROM ${word}s WHERE …; rows affected: 0, rows returned: $n, elapsed: ${f}ms",
                "reqwest::connect] starting new connection: https://$host/",
                "rustls::client::hs] Using ciphersuite TLS13_AES_256_GCM_SHA384",
                "shop::cache] miss: $word:$n",
            ],
            "TRACE": [
                "mio::poll] registering event source with poller: token=Token($n), interests=READABLE",
                "hyper::proto::h1::conn] flushed({role=server}): State { reading: Init, writing: Init, keep_alive: Busy }",
            ],
            "WARN ": ["shop::queue] $word is $n messages behind", "shop::http] slow request: $path took ${f}s"],
        },
        errors={
            "ERROR": [
                "shop::orders] cannot store order $uuid: connection reset by peer (os error 104)",
                "shop::http] $path: 500 Internal Server Error",
                "shop] thread 'worker-$d1' panicked at 'called `Option::unwrap()` on a `None` value', src/$word.rs:$d3:$d2",
                "shop::queue] giving up on $word after $d1 attempts",
            ]
        },
    ),
    Kind(
        "tracing",
        "https://docs.rs/tracing-subscriber/latest/tracing_subscriber/fmt/",
        "${%Y-%m-%dT%H:%M:%S}.${us}Z $level $text",
        usual={
            " INFO": [
                "request{method=$method uri=$path version=HTTP/1.1}: tower_http::trace::on_response: finished processing "
                "request latency=$d2 ms status=200",
                "request{method=GET uri=/healthz version=HTTP/1.1}: tower_http::trace::on_response: finished processing "
                "request latency=0 ms status=200",
                "shop::orders: order created order=$uuid customer=$n",
                "shop: listening addr=0.0.0.0:8080",
                'shop::queue: acknowledged topic="$word" count=$n',
                'shop::jobs: job finished job="$word" took=${f}s',
                'shop::users: logged in user="$user" ip=$ip',
                "shop::cache: warmed entries=$n",
                'sqlx::postgres::notice: relation "_sqlx_migrations" already exists, skipping',
            ],
            "DEBUG": [
                "request{method=$method uri=$path version=HTTP/1.1}: tower_http::trace::on_request: started processing request",
                'hyper_util::client::legacy::pool: pooling idle connection for ("https", $host)',
                "h2::codec::framed_write: send frame=Headers { stream_id: StreamId($n), flags: (0x5: END_HEADERS | "
                "END_STREAM) }",
                'sqlx::query: summary="SELECT id FROM ${word}s …" db.statement="" rows_affected=0 rows_returned=$n '
                "elapsed=${f}ms",
                'shop::cache: miss key="$word:$n"',
            ],
            "TRACE": ['tokio::task::waker: task.id=$n op="waker.clone"', "hyper::proto::h1::io: received $n bytes"],
            " WARN": [
                'shop::queue: behind topic="$word" messages=$n',
                "shop::http: slow path=$path took=${f}s",
                "sqlx::query: slow statement: execution time exceeded alert threshold",
            ],
        },
        errors={
            "ERROR": [
                "request{method=$method uri=$path version=HTTP/1.1}: tower_http::trace::on_failure: response failed "
                "classification=Status code: 500 Internal Server Error latency=$d2 ms",
                'shop::orders: cannot store error=Io(Os { code: 104, kind: ConnectionReset, message: "Connection reset by '
                'peer" }) order=$uuid',
                "shop: panicked at src/$word.rs:$d3:$d2",
                'shop::queue: giving up topic="$word" attempts=$d1',
            ]
        },
    ),
    Kind(
        "python logging",
        "https://docs.python.org/3/library/logging.html#logging.basicConfig",
        "${%Y-%m-%d %H:%M:%S},$ms - shop.$word - $level - $text",
        usual={
            "INFO": [
                "$method $path 200 in $d2 ms",
                "Task shop.tasks.$word[$uuid] received",
                "Task shop.tasks.$word[$uuid] succeeded in ${f}s: None",
                "Connected to amqp://$user:**@$host:5672//",
                "$user logged in from $ip",
                "Processed $n rows of $word in $f s",
                "Starting new HTTPS connection ($d1): $host:443",
                "Scheduler: Sending due task $word (shop.tasks.$word)",
                "Loaded model $word in $f s",
                "epoch $d2: loss=$f accuracy=$f",
                "Exported $n ${word}s to $file",
            ],
            "DEBUG": [
                'https://$host:443 "GET $path HTTP/1.1" 200 $d4',
                "SELECT * FROM ${word}s WHERE id = $n",
                "Lock $word acquired",
                "Resetting dropped connection: $host",
                "cache key $word:$n hit",
            ],
            "WARNING": [
                "Retrying (Retry(total=$d1, connect=None, read=None, redirect=None, status=None)) after connection broken "
                "by 'NewConnectionError': $path",
                "Connection pool is full, discarding connection: $host. Connection pool size: 10",
                "Not Found: $path",
            ],
        },
        errors={
            "ERROR": [
                "Internal Server Error: $path" + PYTHON,
                "Task shop.tasks.$word[$uuid] raised unexpected: TimeoutError('$word')" + PYTHON,
                "Could not export $word: [Errno 28] No space left on device",
                "Invalid HTTP_HOST header: '$ip'. You may need to add '$ip' to ALLOWED_HOSTS.",
            ],
            "CRITICAL": ["Couldn't ack $n, reason: BrokenPipeError(32, 'Broken pipe')"],
        },
    ),
    Kind(
        "rails",
        "https://guides.rubyonrails.org/debugging_rails_applications.html#the-logger",
        "$level [${%Y-%m-%dT%H:%M:%S}.$us #$pid] $text",
        usual={
            "I,": [
                'INFO -- : [$uuid] Started $method "$path" for $ip at ${%Y-%m-%d %H:%M:%S} +0000',
                "INFO -- : [$uuid] Processing by ${class}#show as HTML",
                'INFO -- : [$uuid]   Parameters: {"id"=>"$n"}',
                "INFO -- : [$uuid] Completed 200 OK in ${d2}ms (Views: $d1.${d1}ms | ActiveRecord: $d1.${d1}ms | "
                "Allocations: $n)",
                "INFO -- : [$uuid]   Rendered ${word}s/show.html.erb within layouts/application (Duration: $d1.${d1}ms | "
                "Allocations: $n)",
                "INFO -- : [$uuid] Redirected to https://shop.example.com$path",
                "INFO -- : [ActiveJob] [${class}] [$uuid] Performing $class (Job ID: $uuid) from Sidekiq($word)",
                "INFO -- : [ActiveJob] [${class}] [$uuid] Performed $class (Job ID: $uuid) from Sidekiq($word) in $d2.${d2}ms",
                "INFO -- : [$uuid] Completed 404 Not Found in ${d2}ms",
                "INFO -- : [$uuid] Filter chain halted as :authenticate_user! rendered or redirected",
                "INFO -- : [$uuid] Sent mail to $user@example.com ($d2.${d1}ms)",
            ],
            "D,": [
                'DEBUG -- : [$uuid]   $class Load ($d1.${d1}ms)  SELECT "${word}s".* FROM "${word}s" WHERE "${word}s"."id" '
                '= $$1 LIMIT $$2  [["id", $n], ["LIMIT", 1]]',
                "DEBUG -- : [$uuid]   TRANSACTION (0.${d1}ms)  BEGIN",
                'DEBUG -- : [$uuid]   CACHE $class Load (0.0ms)  SELECT "${word}s".* FROM "${word}s"',
                "DEBUG -- : [$uuid]    (0.${d1}ms)  COMMIT",
                "DEBUG -- : [$uuid]   ↳ app/controllers/${word}s_controller.rb:$d2:in `show'",
            ],
            "W,": [
                "WARN -- : [$uuid] DEPRECATION WARNING: $word is deprecated and will be removed",
                "WARN -- : [$uuid] Can't verify CSRF token authenticity.",
            ],
        },
        errors={
            "F,": [
                "FATAL -- : [$uuid]   \n[$uuid] ActiveRecord::RecordNotFound (Couldn't find $class with 'id'=$n):\n[$uuid]  "
                " \n[$uuid] app/controllers/${word}s_controller.rb:$d2:in `show'",
                "FATAL -- : [$uuid] ActionView::Template::Error (undefined method `$word' for nil:NilClass):",
            ],
            "E,": [
                "ERROR -- : [$uuid] Completed 500 Internal Server Error in ${d3}ms (ActiveRecord: $d2.${d1}ms | "
                "Allocations: $n)",
                "ERROR -- : [ActiveJob] [${class}] [$uuid] Error performing $class (Job ID: $uuid) from Sidekiq($word) in "
                "$d2.${d2}ms: Net::ReadTimeout",
            ],
        },
    ),
    Kind(
        "monolog",
        "https://github.com/Seldaek/monolog",
        "[${%Y-%m-%dT%H:%M:%S}.$us+00:00] $level: $text",
        usual={
            "request.INFO": [
                'Matched route "${word}_show". {"route":"${word}_show","route_parameters":{"id":"$n"},'
                '"request_uri":"https://shop.example.com$path","method":"$method"} []'
            ],
            "app.INFO": [
                'Order created {"order":$n,"customer":$n} []',
                'Mail sent {"to":"$user@example.com","template":"$word"} {"url":"$path","ip":"$ip","http_method":"$method"}',
                'Import finished {"rows":$n,"seconds":$f} []',
                'User logged in {"user":"$user"} []',
                "Cache cleared [] []",
                'Feed $word written {"file":"$file"} {"memory_usage":"$d2 MB"}',
            ],
            "security.DEBUG": [
                'Stored the security token in the session. {"key":"_security_main"} []',
                "Read existing security token from the session. "
                '{"key":"_security_main","token_class":"PostAuthenticationToken"} []',
                'User was reloaded from a user provider. {"provider":"EntityUserProvider","username":"$user"} []',
            ],
            "doctrine.DEBUG": [
                'Executing statement: SELECT t0.id AS id_1 FROM $word t0 WHERE t0.id = ? (parameters: {"1":"$n"}, types: '
                '{"1":1}) {"sql":"SELECT t0.id AS id_1 FROM $word t0 WHERE t0.id = ?"} []',
                'Connecting with parameters array{"driver":"pdo_pgsql","host":"$host"} [] []',
            ],
            "event.DEBUG": [
                'Notified event "kernel.request" to listener '
                '"Symfony\\\\Component\\\\HttpKernel\\\\EventListener\\\\RouterListener::onKernelRequest". '
                '{"event":"kernel.request"} []'
            ],
            "messenger.INFO": [
                'Received message App\\\\Message\\\\$class {"class":"App\\\\Message\\\\$class"} []',
                "App\\\\Message\\\\$class was handled successfully (acknowledging to transport). "
                '{"class":"App\\\\Message\\\\$class","message_id":$n} []',
            ],
            "php.WARNING": [
                'Warning: Undefined array key "$word" {"exception":"[object] (ErrorException(code: 0): Warning: Undefined '
                'array key \\"$word\\" at /srv/app/src/$class.php:$d2)"} []'
            ],
            "app.NOTICE": ['Stock of $word is low {"left":$d1} []'],
        },
        errors={
            "request.CRITICAL": [
                'Uncaught PHP Exception RuntimeException: "$word failed" at $class.php line $d2 {"exception":"[object] '
                '(RuntimeException(code: 0): $word failed at /srv/app/src/$class.php:$d2)"} []'
            ],
            "app.ERROR": [
                'Payment refused {"order":$n,"reason":"card declined"} []',
                'local.ERROR: SQLSTATE[HY000] [2002] Connection refused {"exception":"[object] (PDOException(code: 2002): '
                "SQLSTATE[HY000] [2002] Connection refused at /srv/app/vendor/$word.php:$d3)\n[stacktrace]\n#0 "
                "/srv/app/vendor/$word.php($d3): PDO->__construct()\n#1 /srv/app/src/$class.php($d2): connect()\n#2 "
                '{main}\n"} ',
            ],
            "php.EMERGENCY": ["Allowed memory size of 134217728 bytes exhausted (tried to allocate $bytes bytes) [] []"],
        },
    ),
    Kind(
        "php-fpm",
        "https://www.php.net/manual/en/install.fpm.configuration.php",
        "[${%d-%b-%Y %H:%M:%S}] $level: $text",
        usual={
            "NOTICE": [
                "[pool www] child $pid started",
                "[pool www] child $pid exited with code 0 after $d4.$d6 seconds from start",
                "fpm is running, pid $pid",
                "ready to handle connections",
                "Reloading in progress ...",
                'reloading: execvp("/usr/sbin/php-fpm8.3", {"/usr/sbin/php-fpm8.3", "--nodaemonize"})',
                'using inherited socket fd=$d1, "/run/php/php8.3-fpm.sock"',
                "Finishing ...",
                "Terminating ...",
                "exiting, bye-bye!",
                "systemd monitor interval set to 10000ms",
                "configuration file /etc/php/8.3/fpm/php-fpm.conf test is successful",
            ],
            "DEBUG": [
                "pid $pid, fpm_event_loop(), line 419: event module triggered $d1 events",
                "pid $pid, fpm_pctl_perform_idle_server_maintenance(), line 378: [pool www] currently $d1 active children, "
                "$d1 spare children, $d2 running children. Spawning rate 1",
                "pid $pid, fpm_got_signal(), line 82: received SIGCHLD",
            ],
            "WARNING": [
                '[pool www] child $pid said into stderr: "NOTICE: PHP message: $word $n"',
                "[pool www] server reached pm.max_children setting ($d2), consider raising it",
                "[pool www] seems busy (you may need to increase pm.start_servers, or pm.min/max_spare_servers), spawning 8 "
                "children, there are 0 idle, and $d2 total children",
                "[pool www] child $pid, script '/srv/app/public/index.php' (request: \"$method $path\") executing too slow "
                "($d2.$d6 sec), logging",
            ],
        },
        errors={
            "ERROR": [
                "unable to bind listening socket for address '/run/php/php8.3-fpm.sock': Address already in use (98)",
                "failed to ptrace(ATTACH) child $pid: Operation not permitted (1)",
                "FPM initialization failed",
            ],
            "WARNING": ["[pool www] child $pid exited on signal 11 (SIGSEGV - core dumped) after $d3.$d6 seconds from start"],
            "ALERT": ["[pool www] user '$user' cannot be found"],
        },
    ),
    Kind(
        "dotnet console",
        "https://learn.microsoft.com/dotnet/core/extensions/console-log-formatter",
        "$level: $text",
        usual={
            "info": [
                "Microsoft.AspNetCore.Hosting.Diagnostics[1]\n      Request starting HTTP/1.1 $method "
                "http://shop.example.com$path - - -",
                "Microsoft.AspNetCore.Hosting.Diagnostics[2]\n      Request finished HTTP/1.1 $method "
                "http://shop.example.com$path - 200 $d4 application/json $d2.${d4}ms",
                "Microsoft.AspNetCore.Routing.EndpointMiddleware[0]\n      Executing endpoint 'Shop.Controllers.$class.Get "
                "(Shop)'",
                "Microsoft.AspNetCore.Routing.EndpointMiddleware[1]\n      Executed endpoint 'Shop.Controllers.$class.Get "
                "(Shop)'",
                "Microsoft.EntityFrameworkCore.Database.Command[20101]\n      Executed DbCommand (${d1}ms) "
                "[Parameters=[@p0='?' (DbType = Int32)], CommandType='Text', CommandTimeout='30']\n      SELECT o.Id, "
                "o.State\n      FROM Orders AS o\n      WHERE o.Id = @p0",
                "Shop.Orders.$class[0]\n      Order $uuid created",
                "Microsoft.Hosting.Lifetime[14]\n      Now listening on: http://[::]:8080",
                "Microsoft.Hosting.Lifetime[0]\n      Application started. Press Ctrl+C to shut down.",
                "Shop.Jobs.$class[$d1]\n      $n ${word}s processed in $f s",
                "System.Net.Http.HttpClient.$word.ClientHandler[101]\n      Received HTTP response headers after "
                "$d2.${d4}ms - 200",
            ],
            "dbug": [
                'Microsoft.AspNetCore.Server.Kestrel.Connections[39]\n      Connection id "0HN$x8" accepted.',
                'Microsoft.AspNetCore.Server.Kestrel.Connections[1]\n      Connection id "0HN$x8" started.',
                "Microsoft.Extensions.Http.DefaultHttpClientFactory[100]\n      Starting HttpMessageHandler cleanup cycle "
                "with $d1 items",
            ],
            "trce": [
                "Shop.Cache.$class[0]\n      miss $word:$n",
                "Microsoft.AspNetCore.Server.Kestrel[17]\n      $n bytes read",
            ],
            "warn": [
                "Microsoft.AspNetCore.HttpsPolicy.HttpsRedirectionMiddleware[3]\n      Failed to determine the https port "
                "for redirect.",
                "Shop.Clients.$class[0]\n      retry $d1 of $word",
            ],
        },
        errors={
            "fail": [
                "Microsoft.AspNetCore.Diagnostics.ExceptionHandlerMiddleware[1]\n      An unhandled exception has occurred "
                "while executing the request." + DOTNET,
                "Shop.Orders.$class[0]\n      cannot store order $uuid",
                "Microsoft.EntityFrameworkCore.Database.Command[20102]\n      Failed executing DbCommand (${d2}ms) "
                "[Parameters=[], CommandType='Text', CommandTimeout='30']",
            ],
            "crit": ["Microsoft.AspNetCore.Server.Kestrel[0]\n      Unable to start Kestrel." + DOTNET],
        },
    ),
    Kind(
        "logcat",
        "https://developer.android.com/tools/logcat",
        "${%m-%d %H:%M:%S}.$ms  $d4  $d4 $level $text",
        usual={
            "D": [
                'PowerManagerService: acquireWakeLockInternal: lock=$d9, flags=0x1, tag="*alarm*", name=android, '
                "ws=WorkSource{10113}, uid=1000, pid=$d4",
                "ConnectivityService: NetRequest activated for id $d4",
                "WifiNl80211Manager: Scan result ready event",
                "SensorService: new sensor handle $d2 for $word",
                "BatteryService: level:$d2, scale:100, status:3, health:2, temp:$d3",
                "TextView: visible is system.time.showampm",
                "audio_hw_primary: out_set_parameters: routing=$d1",
            ],
            "I": [
                "ActivityManager: Start proc $d5:com.example.$word/u0a$d3 for service com.example.$word/.$class",
                "ActivityTaskManager: START u0 {cmp=com.example.$word/.MainActivity} from uid $d5",
                "Choreographer: Skipped $d2 frames!  The application may be doing too much work on its main thread.",
                "zygote64: Background concurrent copying GC freed $n(${d3}KB) AllocSpace objects, 0(0B) LOS objects, 50% "
                "free, ${d2}MB/${d2}MB, paused ${d2}us total ${d2}ms",
                "WindowManager: Relayout Window{$x8 u0 com.example.$word}: viewVisibility=0",
                "chatty: uid=1000(system) $word identical $d2 lines",
            ],
            "V": [
                "NotificationService: enqueueNotificationInternal: pkg=com.example.$word id=$n",
                "AlarmManager: triggered alarm $n at $epochms",
                "FA: Processing queued up service tasks: $d1",
            ],
            "W": [
                "ContextImpl: Calling a method in the system process without a qualified user: $class",
                "InputReader: Device $d1 timestamp was in the future",
            ],
        },
        errors={
            "E": [
                "AndroidRuntime: FATAL EXCEPTION: main",
                "AndroidRuntime: java.lang.NullPointerException: Attempt to invoke virtual method on a null object reference",
                "AndroidRuntime: \tat com.example.$word.$class.onCreate($class.java:$d2)",
                "WifiHAL: Failed to get wifi stats: $d2",
                "SELinux: avc:  denied  { find } for service=$word pid=$d4 uid=1000",
            ],
            "F": ["libc    : Fatal signal 11 (SIGSEGV), code 1 (SEGV_MAPERR), fault addr 0x$x8 in tid $d4 ($word)"],
        },
    ),
]
