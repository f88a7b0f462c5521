//! What the headers of each format look like.
//!
//! Of a format's layouts the first counts that fits. A record that none of them fits is outlined by its time and level alone.

use super::header_layout::HeaderLayout;

/// Declares the layouts of some formats, each as people write them down.
macro_rules! layouts {
    ($($name:ident: [$($pattern:literal),* $(,)?];)*) => {
        $(pub(super) const $name: &[HeaderLayout] = layouts!(@list [] $($pattern),*);)*
    };
    (@list [] $first:literal $(, $rest:literal)*) => {
        layouts!(@list [HeaderLayout::new($first)] $first $(, $rest)*)
    };
    (@list [$($done:expr),*] $before:literal, $next:literal $(, $rest:literal)*) => {
        layouts!(@list [$($done,)* HeaderLayout::behind($next, $before)] $next $(, $rest)*)
    };
    (@list [$($done:expr),*] $last:literal) => { &[$($done),*] };
}

layouts! {
    KLOG: ["{level}{time} {thread-id} {file}:{line}] {message}"];

    GO: [
        // zap's console
        "{time}\t{level}\t{logger}\t{file}:{line}\t{message}",
        "{time}\t{level}\t{file}:{line}\t{message}",
        "{time}\t{level}\t{message}",
        // logrus on a terminal
        "{level}[{time}] {message}",
        // Gin
        "[GIN] {time} |_{status} |_{duration} |_{client} |_{method}_{message}",
        // `log` and `slog`, zerolog and hclog
        "{time} ‹{file}:{line}: ›[{level}_] {message}",
        "{time} ‹{file}:{line}: ›{level}: {message}",
        "{time} ‹{file}:{line}: ›{level} ‹{file}:{line} > ›{message}",
        "{level}: {time} ‹{file}:{line}: ›{message}",
        "{level} {time} ‹{file}:{line}: ›{message}",
        "{time} {file}:{line}: {message}",
        "{time} {message}",
    ];

    LOG4J: [
        // Spring Boot
        "{time} {level} {pid} --- [{program}] [_{thread*}] ‹[{extra}] ›{logger} : {message}",
        "{time} {level} {pid} --- [_{thread*}] {logger} : {message}",
        "{time} {level} [{extra}] {pid} --- [_{thread*}] {logger} : {message}",
        "{time} {level} [{thread*}] {file}:{line} - {message}",
        "{time} {level} [{thread*}] {logger} - {message}",
        "{time} {level} [{thread*}] {logger}: {message}",
        // JBoss
        "{time} {level} [{logger}] ({thread*}) {message}",
        "{time} {level} {logger.}: {message}",
        "{time} {level} {logger.} - {message}",
        // ZooKeeper
        "{time} [myid:{extra}] - {level} [{thread*}@{line}] - {message}",
        "{time} [{thread*}] [{extra*}] {level} {logger} - {message}",
        "{time} [{thread*}] {level} {logger} - {message}",
        "{time} [{thread*}] {level} {logger} -- {message}",
        "{time} [{thread*}] {level} {logger.}: {message}",
        "{time}|{level}_|{thread}|{logger}|{message}",
        "{level} [{thread*}] {time} {file}:{line} - {message}",
        "{level} {time} [{thread*}] {logger} - {message}",
        "[{level}] [{time}] [{thread*}] [{logger}] {message}",
        "[{thread*}] {level} {logger} - {message}",
        // Minecraft
        "[{time}] [{thread*}/{level}]: {message}",
        "[{time} {level}]: {message}",
        "[{time}][{level}_][{logger*}] {message}",
        "[{time}] {level} {logger.} - {message}",
        "[{time}] {level} {message}",
        "{time} {level} ({thread*}) [{extra*}] {logger.} {message}",
        "{time} {level} [{thread*}] {logger.} {message}",
        "{time} {level} {message}",
        "[{time}] [{level}] {message}",
        "[{time}] [{thread*}] {level} {logger.} - {message}",
        "[{time}] [{thread*}] {level} {logger.} : {message}",
        "[{time}] [{thread*}] {level} {message}",
    ];

    JUL: [
        "{time} {logger} {function}\n{level}: {message}",
        "{time} {logger}\n{level}: {message}",
        "{time} {level} [{thread*}] {logger.} {message}",
        "[{time}] [{level}_] {message}",
        "{time} [{level}_] {message}",
        "{time} {level} {logger.} {function} {message}",
    ];

    PYTHON: [
        // loguru
        "{time} | {level}_| {logger}:{function}:{line} - {message}",
        "{time} - {logger} - {pid} - {level} - {message}",
        "{time} - {logger} - {level} - {file}:{line} - {message}",
        "{time} - {logger} - {level} - {message}",
        "{time} - {level} - {message}",
        // Airflow, Flask, Celery
        "[{time}] {{{file}:{line}}} {level} - {message}",
        "[{time}] {level} in {logger}: {message}",
        "[{time}: {level}/{thread}] {message}",
        // Django's server
        "[{time}] {request} {status} {bytes}{tail}",
        // Tornado
        "[{level} {time} {logger}:{line}] {message}",
        "[{level} {time} {logger}] {message}",
        // structlog
        "{time} [{level}_] {message}",
        "[{time}] {level} {message}",
        // uvicorn
        "INFO:_{client} - {request} {status}{tail}",
        "{level}:{logger}:{message}",
        "{level}: {message}",
        "{level} {time} {logger} {pid} {thread-id} {message}",
        "{level} {time} {message}",
        "{time} {level} {logger}:{file}:{line} {message}",
        "{time} {level} {logger}: {message}",
        "{time} [{level}] {logger}: {message}",
        "{time}:{level}:{message}",
        "{time} {level} {message}",
    ];

    GUNICORN: ["[{time}] [{pid}] [{level}] {message}"];

    UWSGI: [
        "[pid: {pid}|app: {wsgi-app}|req: {request-id}] {client} ({user}) {{{extra*}}} [{time}] {message}‹{method} {target} => generated {bytes} bytes in {milliseconds} msecs ({protocol} {status}) ›",
    ];

    ENV_LOGGER: [
        "[{time} {level}_{logger} {file}:{line}] {message}",
        "[{time} {level}_{logger}] {message}",
        "[{time} {level}_{logger}_] {message}",
        "[{level}_{logger}] {message}",
        // fern, log4rs
        "[{time}][{level}][{logger}] {message}",
        "[{time}][{logger}][{level}] {message}",
    ];

    TRACING: [
        "{time} {level} ThreadId({thread-id}) {logger}: {file}:{line}: {message}",
        "{time} {level} ‹ThreadId({thread-id}) ›{logger}: {message}",
        "{time} {level} {spans}: {logger}: {message}",
        "{time} {level} {message}",
        "_{level} {logger}: {message}",
        "_{level} {spans}: {logger}: {message}",
        "_{level} {message}",
    ];

    DOTNET: [
        "{level}: {logger}[{code}]\n_{message}",
        "{level}: {logger}[{code}] {message}",
        "{time} {level}: {logger}[{code}]\n_{message}",
        "{time} {level}: {logger}[{code}] {message}",
        "[{time} {level}] {message}",
        "{time} [{level}] {message}",
        "{time}|{level}|{logger}|{message}",
    ];

    ACCESS: [
        "{client} {ident} {user} [{time}] {request} {status} {bytes}‹ \"{referrer}\" \"{agent}\"›‹ {received} {seconds} [{extra*}›{tail}",
        "{server} {client} {ident} {user} [{time}] {request} {status} {bytes}‹ \"{referrer}\" \"{agent}\"›{tail}",
        // PHP-FPM
        "{client} - {time} {request} {status}{tail}",
        "{client} - {user} {time} {request} {status}{tail}",
        // Envoy
        "[{time}] {request} {status} {code} {received} {bytes} {milliseconds}{tail}",
        "[{time}] {request} {status}{tail}",
    ];

    HAPROXY: [
        "{client} [{time}] {message}‹{-} {-} {-} {status} {bytes} ›",
        "[{level}] {extra} ({pid}) : {message}",
        "[{level}] ({pid}) : {message}",
        "‹<{priority}>›{time} ‹{host} ›{program}[{pid}]: {message}",
        "‹<{priority}>›{extra*}: {client} [{time}] {message}‹{-} {-} {-} {status} {bytes} ›",
    ];

    NGINX: [
        "{time} [{level}] {pid}#{thread-id}: ‹*{connection} ›{message}",
        "nginx: [{level}] {message}",
    ];

    APACHE: [
        "[{time}] [{logger}:{level}] [pid {pid}‹:tid {thread-id}›] ‹[client {client}] ›{message}",
        "[{time}] [:{level}] [pid {pid}] ‹[client {client}] ›{message}",
        "[{time}] [{logger}:{level}] ‹[client {client}] ›{message}",
        "[{time}] [{level}] ‹[client {client}] ›{message}",
    ];

    PHP_FPM: ["[{time}] {level}: {message}", "[{time}] {message}"];

    POSTGRESQL: [
        "{time} [{pid}] {level}: {message}",
        "{time} [{pid}] {user}@{database} {level}: {message}",
        "{time} [{pid}-{extra}] {user}@{database} {level}: {message}",
        "{time}:{client}:{user}@{database}:[{pid}]:{level}: {message}",
        "[{time}] [{pid}] {level}: {message}",
        "<_{time}_>_{level}: {message}",
        "{level}: {message}",
    ];

    CSVLOG: ["{time},\"{user}\",\"{database}\",{pid},\"{client}\",{message}", "{time},{message}"];

    MYSQL: [
        "{time} {thread-id} [{level}] [{code}] [{logger}] {message}",
        "{time} {thread-id} [{level}] {message}",
        "{time} [{level}] [{logger}]: {message}",
        "{time} [{level}] {message}",
    ];

    REDIS: ["{pid}:{role} {time} {level} {message}", "{pid}:signal-handler ({time-text}) {message}", "[{pid}] {time} {level} {message}"];

    MONGODB: ["{time} {level} {logger} [{thread*}] {message}"];

    RABBITMQ: ["{time} [{level}] <{erlang-pid}> {message}", "={level} REPORT==== {time} ==={message}"];

    MONOLOG: ["[{time}] {logger}.{level}: {message}"];

    RAILS: [
        "{level}, [{time} #{pid}] {level} -- : {message}",
        "{level}, [{time} #{pid}] {level} -- {program}: {message}",
        "[{request-id}] {message}",
        "{time} pid={pid} tid={thread} ‹class={logger} ›‹jid={request-id} ›{level}: {message}",
        "{time} {pid} TID-{thread} {level}: {message}",
    ];

    LOGCAT: [
        "{time} {pid} {thread-id} {level} {logger*}: {message}",
        "{time} {user} {pid} {thread-id} {level} {logger*}: {message}",
        "{time} {level}/{logger*}(_{pid}): {message}",
        "{time} {level}/{logger*}: {message}",
        "{level}/{logger*}(_{pid}): {message}",
        "{level}(_{pid}) {message}",
    ];

    MQ: ["{time} - Process({pid}.{thread-id}) User({user}) Program({program})\n_{message}"];

    RFC5424: [
        "<{priority}>1 {time} {host} {program} {pid} {msgid} {structured-data} {message}",
        "<{priority}>1 {time} {host} {program} {procid} {msgid} {structured-data} {message}",
        "<{priority}>1 {time} {host} {program} {procid} {msgid} {message}",
        "<{priority}>1 - {host} {program} {procid} {msgid} {structured-data} {message}",
    ];

    RFC3164: [
        "‹<{priority}>›{time} {program}[{pid}]: {message}",
        "‹<{priority}>›{time} {host} {program}[{pid}]: {message}",
        "‹<{priority}>›{time} {program}[{procid}]: {message}",
        "‹<{priority}>›{time} {host} {program}[{procid}]: {message}",
        "‹<{priority}>›{time} {host} {program}: {message}",
        "<{priority}>{time} {program}: {message}",
        "‹<{priority}>›{time}: {message}",
        "{time} <{extra}> {host} {message}",
        "‹<{priority}>›{time} {host} {message}",
        "<{priority}>{message}",
    ];
}
