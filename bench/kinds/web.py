"""Servers and proxies of the web."""

from .templates import Kind

REQUESTS = [
    '$method $path HTTP/1.1" 200 $bytes',
    'GET / HTTP/1.1" 200 $d4',
    'GET /healthz HTTP/1.1" 200 2',
    'GET /static/js/main.$x8.js HTTP/2.0" 200 $bytes',
    'GET /static/css/site.$x8.css HTTP/2.0" 304 0',
    'POST /api/v1/${word}s HTTP/1.1" 201 $d3',
    'GET /api/v1/${word}s?page=$n&limit=50 HTTP/1.1" 200 $bytes',
    'PUT /api/v2/$word/$uuid HTTP/1.1" 204 0',
    'DELETE /api/v1/$word/$n HTTP/1.1" 204 0',
    'GET /images/$word-$d3.webp HTTP/2.0" 200 $bytes',
    'HEAD $path HTTP/1.1" 200 0',
    'GET /login HTTP/1.1" 302 0',
    'OPTIONS /api/v1/$word HTTP/1.1" 204 0',
    'GET /feed.xml HTTP/1.1" 301 $d3',
]
REFUSED = [
    'GET /wp-login.php HTTP/1.1" 404 $d3',
    'POST /api/v1/session HTTP/1.1" 401 $d2',
    'GET $path HTTP/1.1" 403 $d3',
    'GET /favicon.ico HTTP/1.1" 404 $d3',
    'POST /api/v1/$word HTTP/1.1" 429 $d2',
]
FAILED = [
    '$method $path HTTP/1.1" 500 $d3',
    'GET /api/v1/$word/$n HTTP/1.1" 502 $d3',
    'POST /api/v1/$word HTTP/1.1" 503 $d3',
    'GET $path HTTP/1.1" 504 $d3',
]


def requests(after):
    """The requests by how they ended, each with what stands behind the size."""
    answered = {"answered": [text + after for text in REQUESTS], "refused": [text + after for text in REFUSED]}
    return {"usual": answered, "errors": {"failed": [text + after for text in FAILED]}}


KINDS = [
    Kind(
        "combined access",
        "https://httpd.apache.org/docs/2.4/logs.html#combined",
        '$ip - - [${%d/%b/%Y:%H:%M:%S +0000}] "$text',
        **requests(' "https://shop.example.com$path" "$agent"'),
    ),
    Kind(
        "common access",
        "https://httpd.apache.org/docs/2.4/logs.html#common",
        '$ip - $user [${%d/%b/%Y:%H:%M:%S +0000}] "$text',
        **requests(""),
    ),
    Kind(
        "haproxy",
        "https://docs.haproxy.org/3.0/configuration.html#8.2.3",
        "$ip:$port [${%d/%b/%Y:%H:%M:%S}.$ms] $text",
        usual={
            "answered": [
                f'{front} {back} 0/0/$d1/$d2/$d2 {status} $bytes - - {state} $d2/$d2/$d1/$d1/0 0/0 "{request} HTTP/1.1"'
                for front, back, status, state, request in [
                    ("http-in", "app/srv1", 200, "----", "GET $path"),
                    ("http-in", "app/srv2", 200, "----", "POST $path"),
                    ("https-in~", "app/srv3", 200, "----", "GET /"),
                    ("http-in", "static/cdn1", 304, "----", "GET $path"),
                    ("https-in~", "api/node1", 201, "--NI", "POST /api/v1/$word"),
                    ("https-in~", "api/node2", 200, "--VN", "GET $path"),
                    ("https-in~", "api/node3", 204, "--VN", "DELETE $path"),
                    ("http-in", "http-in/<NOSRV>", 301, "LR--", "GET $path"),
                    ("http-in", "stats/<STATS>", 200, "LR--", "GET /haproxy?stats"),
                    ("https-in~", "api/node1", 404, "----", "GET $path"),
                    ("http-in", "app/srv1", 403, "PR--", "GET /.env"),
                    ("https-in~", "api/node2", 401, "--VN", "GET $path"),
                    ("https-in~", "ws/hub1", 101, "CD--", "GET /socket"),
                    ("http-in", "app/srv2", 206, "----", "GET $path"),
                    ("http-in", "app/srv2", 429, "PR--", "GET $path"),
                    ("https-in~", "api/node3", 200, "----", "HEAD $path"),
                ]
            ]
        },
        errors={
            "failed": [
                f'{front} {back} {timers} {status} $d3 - - {state} $d2/$d2/$d1/$d1/{retries} 0/0 "{request} HTTP/1.1"'
                for front, back, timers, status, state, retries, request in [
                    ("http-in", "app/<NOSRV>", "0/-1/-1/-1/$d2", 503, "SC--", 3, "GET $path"),
                    ("https-in~", "api/node1", "0/0/$d1/-1/$d5", 504, "sH--", 0, "POST $path"),
                    ("https-in~", "api/node2", "0/0/$d1/-1/$d3", 502, "SH--", 0, "GET $path"),
                    ("http-in", "app/srv1", "0/0/$d1/$d2/$d2", 500, "----", 0, "GET $path"),
                ]
            ]
        },
    ),
    Kind(
        "nginx error",
        "https://nginx.org/en/docs/ngx_core_module.html#error_log",
        "${%Y/%m/%d %H:%M:%S} [$level] $pid#$d2: $text",
        usual={
            "info": [
                "*$n client $ip closed keepalive connection",
                "*$n client closed connection while waiting for request, client: $ip, server: 0.0.0.0:80",
                "*$n SSL_do_handshake() failed (SSL: error:0A00006C:SSL routines::bad key share) while SSL handshaking, "
                "client: $ip, "
                "server: 0.0.0.0:443",
                "*$n epoll_wait() reported that client prematurely closed connection, so upstream connection is closed too "
                "while "
                'sending request to upstream, client: $ip, server: _, request: "GET $path HTTP/1.1", upstream: '
                '"http://$ip:8080$path"',
            ],
            "notice": [
                "signal 29 (SIGIO) received",
                "signal 17 (SIGCHLD) received from $pid",
                "worker process $pid exited with code 0",
                "start worker process $pid",
                'using the "epoll" event method',
                "reconfiguring",
                "gracefully shutting down",
                "exiting",
                "nginx/1.26.1",
                "OS: Linux 6.1.0-21-amd64",
                "getrlimit(RLIMIT_NOFILE): 1048576:1048576",
                "cache manager process $pid started",
            ],
            "warn": [
                "*$n a client request body is buffered to a temporary file /var/cache/nginx/client_temp/$d10, client: $ip, "
                "server: _, "
                'request: "POST $path HTTP/1.1", host: "api.example.com"',
                "*$n an upstream response is buffered to a temporary file /var/cache/nginx/proxy_temp/$d1/$d2/$d10 while "
                "reading "
                'upstream, client: $ip, server: _, request: "GET $path HTTP/1.1", upstream: "http://$ip:8080$path"',
                'conflicting server name "www.example.com" on 0.0.0.0:80, ignored',
            ],
        },
        errors={
            "error": [
                '*$n open() "/usr/share/nginx/html$path" failed (2: No such file or directory), client: $ip, server: '
                "localhost, "
                'request: "GET $path HTTP/1.1", host: "www.example.com"',
                "*$n connect() failed (111: Connection refused) while connecting to upstream, client: $ip, server: _, "
                'request: "GET $path HTTP/1.1", upstream: "http://$ip:8080$path", host: "api.example.com"',
                "*$n upstream timed out (110: Connection timed out) while reading response header from upstream, client: $ip, "
                'server: _, request: "POST $path HTTP/1.1", upstream: "http://$ip:8080$path", host: "api.example.com"',
                '*$n no live upstreams while connecting to upstream, client: $ip, server: _, request: "GET $path HTTP/1.1"',
            ],
            "crit": [
                "*$n SSL_read() failed (SSL: error:0A000126:SSL routines::unexpected eof while reading) while keepalive, "
                "client: $ip, server: 0.0.0.0:443"
            ],
            "alert": ["worker process $pid exited on signal 11 (core dumped)"],
        },
    ),
    Kind(
        "apache error",
        "https://httpd.apache.org/docs/2.4/logs.html#errorlog",
        "[${%a %b %d %H:%M:%S}.$us ${%Y}] [$level] [pid $pid:tid $d12] $text",
        usual={
            "mpm_event:notice": [
                "AH00489: Apache/2.4.59 (Debian) OpenSSL/3.0.13 configured -- resuming normal operations",
                "AH00493: SIGUSR1 received.  Doing graceful restart",
                "AH00491: caught SIGTERM, shutting down",
            ],
            "core:notice": [
                "AH00094: Command line: '/usr/sbin/apache2 -D FOREGROUND'",
                "AH00052: child pid $pid exit signal Hangup (1)",
            ],
            "authz_core:debug": [
                "mod_authz_core.c(815): [client $ip:$port] AH01626: authorization result of Require all granted: granted",
                "mod_authz_core.c(815): [client $ip:$port] AH01626: authorization result of <RequireAny>: granted",
            ],
            "ssl:info": [
                "[client $ip:$port] AH01964: Connection to child $d2 established (server www.example.com:443)",
                "[client $ip:$port] AH02008: SSL library error $d1 in handshake (server www.example.com:443)",
                "[client $ip:$port] AH01991: SSL input filter read failed.",
            ],
            "proxy:debug": [
                "proxy_util.c(2528): AH00942: http: has acquired connection for ($ip)",
                "proxy_util.c(2543): AH00943: http: has released connection for ($ip)",
                "proxy_util.c(3153): AH02824: http: connection established with $ip:8080 (*)",
            ],
            "rewrite:trace3": [
                "mod_rewrite.c(493): [client $ip:$port] $ip - - [www.example.com/sid#$x12][rid#$x12/initial] applying "
                "pattern '^' to uri '$path'"
            ],
            "mpm_event:warn": ["AH00485: scoreboard is full, not at MaxRequestWorkers"],
            "core:warn": ["AH00045: child process $pid still did not exit, sending a SIGTERM"],
        },
        errors={
            "core:error": [
                "[client $ip:$port] AH00126: Invalid URI in request GET $path HTTP/1.1",
                "[client $ip:$port] AH00135: Invalid method in request \\x16\\x03\\x01",
            ],
            "authz_core:error": ["[client $ip:$port] AH01630: client denied by server configuration: /var/www/html$path"],
            "proxy:error": [
                "(111)Connection refused: AH00957: http: attempt to connect to $ip:8080 (*) failed",
                "AH00959: ap_proxy_connect_backend disabling worker for ($ip) for 60s",
            ],
            "php:error": ["[client $ip:$port] script '/var/www/html/$word.php' not found or unable to stat"],
            "mpm_event:error": [
                "AH00484: server reached MaxRequestWorkers setting, consider raising the MaxRequestWorkers setting"
            ],
            "core:crit": [
                "(13)Permission denied: [client $ip:$port] AH00529: /var/www/html/.htaccess pcfg_openfile: unable to check "
                "htaccess file, ensure it is readable"
            ],
        },
    ),
    Kind(
        "gunicorn",
        "https://docs.gunicorn.org/en/stable/settings.html#logging",
        "[${%Y-%m-%d %H:%M:%S} +0000] [$pid] [$level] $text",
        usual={
            "DEBUG": [
                "$method $path",
                "GET /healthz",
                "POST /api/v1/$word",
                "Closing connection. ",
                "Ignored premature client disconnection. $word",
                "$d1 workers",
                "reloader: watching $file",
            ],
            "INFO": [
                "Booting worker with pid: $pid",
                "Worker exiting (pid: $pid)",
                "Starting gunicorn 22.0.0",
                "Listening at: http://0.0.0.0:8000 ($pid)",
                "Using worker: gthread",
                "Handling signal: hup",
                "Handling signal: winch",
                "Handling signal: ttin",
                "Hang up: Master",
                "Autorestarting worker after current request.",
            ],
            "WARNING": [
                "Worker with pid $pid was terminated due to signal 15",
                "Invalid request from ip=$ip: Invalid HTTP Version: '$word'",
            ],
        },
        errors={
            "ERROR": [
                "Error handling request $path\nTraceback (most recent call last):\n"
                '  File "/usr/lib/python3/dist-packages/gunicorn/workers/sync.py", line 135, in handle\n    '
                "self.handle_request(listener, req, client, addr)\n"
                '  File "/srv/app/$word/views.py", line $d3, in $word\n    return self.$word[$d2]\nKeyError: $d2',
                "Worker (pid:$pid) was sent SIGKILL! Perhaps out of memory?",
                "Connection in use: ('0.0.0.0', 8000)",
                "Retrying in 1 second.",
                "Socket error processing request.\nTraceback (most recent call last):\n"
                '  File "/usr/lib/python3/dist-packages/gunicorn/http/wsgi.py", line 346, in write\n    '
                "util.write(self.sock, arg, self.chunked)\n"
                "BrokenPipeError: [Errno 32] Broken pipe",
            ],
            "CRITICAL": ["WORKER TIMEOUT (pid:$pid)"],
        },
    ),
    Kind(
        "uwsgi",
        "https://uwsgi-docs.readthedocs.io/en/latest/LogFormat.html",
        "$text",
        usual={
            "request": [
                "[pid: $pid|app: 0|req: $n/$seq] $ip () {$d2 vars in $d4 bytes} [${%a %b %d %H:%M:%S %Y}] "
                f"{request} => generated $bytes bytes in $d2 msecs (HTTP/1.1 {status}) $d1 headers in $d3 bytes "
                "($d1 switches on core 0)"
                for request, status in [
                    ("GET $path", 200),
                    ("GET /", 200),
                    ("POST /api/v1/$word", 201),
                    ("GET /healthz", 200),
                    ("GET /static/$word.css", 304),
                    ("PUT $path", 204),
                    ("DELETE $path", 204),
                    ("GET /api/v1/$word?page=$n", 200),
                    ("GET $path", 404),
                    ("POST /login", 302),
                    ("GET /admin/$word/$n/change/", 200),
                    ("POST /api/v1/$word", 400),
                ]
            ],
            "own": [
                "spawned uWSGI worker $d1 (pid: $pid, cores: 1)",
                "*** Operational MODE: preforking ***",
                "worker $d1 buried after 1 seconds",
                "...The work of process $pid is done. Seeya!",
                "Respawned uWSGI worker $d1 (new pid: $pid)",
            ],
        },
        errors={
            "failed": [
                "[pid: $pid|app: 0|req: $n/$seq] $ip () {$d2 vars in $d4 bytes} [${%a %b %d %H:%M:%S %Y}] $method $path => "
                "generated "
                "$d2 bytes in $d3 msecs (HTTP/1.1 500) $d1 headers in $d3 bytes ($d1 switches on core 0)",
                'Traceback (most recent call last):\n  File "./$word/wsgi.py", line $d2, in application\n    raise '
                "ValueError($d3)\nValueError: $d3",
                "${%a %b %d %H:%M:%S %Y} - uwsgi_response_writev_headers_and_body_do(): Broken pipe [core/writer.c line "
                "306] during $method $path ($ip)",
                "DAMN ! worker $d1 (pid: $pid) died, killed by signal 9 :( trying respawn ...",
            ]
        },
    ),
    Kind(
        "squid",
        "https://wiki.squid-cache.org/Features/LogFormat",
        "$epoch.$ms    $d3 $ip $text",
        usual={
            "answered": [
                f"{result} $bytes {request} - {hierarchy} {content}"
                for result, request, hierarchy, content in [
                    ("TCP_TUNNEL/200", "CONNECT $word.example.com:443", "HIER_DIRECT/$ip", "-"),
                    ("TCP_MISS/200", "GET http://$word.example.com$path", "HIER_DIRECT/$ip", "text/html"),
                    ("TCP_HIT/200", "GET http://cdn.example.com$path", "HIER_NONE/-", "image/png"),
                    ("TCP_MEM_HIT/200", "GET http://cdn.example.com$path", "HIER_NONE/-", "text/css"),
                    ("TCP_REFRESH_UNMODIFIED/304", "GET http://$word.example.com$path", "HIER_DIRECT/$ip", "-"),
                    ("TCP_MISS/304", "GET http://$word.example.com$path", "HIER_DIRECT/$ip", "-"),
                    ("TCP_MISS/302", "GET http://$word.example.com/", "HIER_DIRECT/$ip", "text/html"),
                    ("TCP_MISS/204", "POST http://$word.example.com$path", "HIER_DIRECT/$ip", "-"),
                    ("TCP_DENIED/407", "CONNECT $word.example.com:443", "HIER_NONE/-", "text/html"),
                    ("TCP_MISS/206", "GET http://mirror.example.com$path", "FIRSTUP_PARENT/$ip", "application/octet-stream"),
                    ("TCP_IMS_HIT/304", "GET http://cdn.example.com$path", "HIER_NONE/-", "application/javascript"),
                    ("TCP_MISS/404", "GET http://$word.example.com$path", "HIER_DIRECT/$ip", "text/html"),
                    ("TCP_CLIENT_REFRESH_MISS/200", "GET http://$word.example.com$path", "HIER_DIRECT/$ip", "application/json"),
                    ("TCP_SWAPFAIL_MISS/200", "GET http://cdn.example.com$path", "HIER_DIRECT/$ip", "image/jpeg"),
                    ("TCP_OFFLINE_HIT/200", "GET http://cdn.example.com$path", "HIER_NONE/-", "image/gif"),
                    ("TCP_REDIRECT/301", "GET http://$word.example.com/", "HIER_NONE/-", "-"),
                ]
            ]
        },
        errors={
            "failed": [
                "TCP_MISS_ABORTED/000 0 GET http://$word.example.com$path - HIER_DIRECT/$ip -",
                "TCP_MISS/503 $d4 GET http://$word.example.com$path - HIER_NONE/- text/html",
                "TCP_MISS/502 $d4 GET http://$word.example.com$path - HIER_DIRECT/$ip text/html",
                "NONE/400 $d4 GET error:invalid-request - HIER_NONE/- text/html",
            ]
        },
    ),
    Kind(
        "iis",
        "https://learn.microsoft.com/windows/win32/http/w3c-logging",
        "${%Y-%m-%d %H:%M:%S} 10.0.0.4 $text",
        usual={
            "answered": [
                f"{request} 443 {user} $ip {agent} - {status} 0 0 $d2"
                for request, user, agent, status in [
                    ("GET $path -", "-", "Mozilla/5.0+(Windows+NT+10.0;+Win64;+x64)", 200),
                    ("GET /default.aspx -", "-", "Mozilla/5.0+(X11;+Linux)", 200),
                    ("POST /api/$word -", "CORP\\$user", "axios/1.7.2", 201),
                    ("GET /scripts/$word.js v=$d3", "-", "Mozilla/5.0+(iPhone)", 304),
                    ("GET /content/$word.css -", "-", "Mozilla/5.0+(Macintosh)", 200),
                    ("GET /owa/ ae=Folder&t=IPF.Note", "CORP\\$user", "Edge/126", 200),
                    ("POST /EWS/Exchange.asmx -", "CORP\\$user", "Microsoft+Office/16.0", 200),
                    ("GET /autodiscover/autodiscover.xml -", "-", "-", 401),
                    ("GET /favicon.ico -", "-", "Mozilla/5.0", 404),
                    ("GET /images/$word.png -", "-", "Mozilla/5.0+(Android+14)", 200),
                    ("OPTIONS / -", "-", "Microsoft-WebDAV-MiniRedir", 200),
                    ("GET /signalr/negotiate id=$x32", "-", "Mozilla/5.0", 200),
                    ("HEAD / -", "-", "ELB-HealthChecker/2.0", 200),
                    ("PUT /api/$word/$n -", "CORP\\$user", "HttpClient", 204),
                    ("GET /robots.txt -", "-", "bingbot/2.0", 200),
                    ("POST /login.aspx ReturnUrl=%2f", "-", "Mozilla/5.0", 302),
                ]
            ]
        },
        errors={
            "failed": [
                f"{request} 443 - $ip Mozilla/5.0 - {status} 0 $d2 $d4"
                for request, status in [
                    ("GET $path -", 500),
                    ("POST /api/$word -", 503),
                    ("GET /api/$word/$n -", 502),
                    ("GET /report.aspx |$d2|800a0009|Subscript_out_of_range", 500),
                ]
            ]
        },
    ),
]
