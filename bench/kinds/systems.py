"""Containers, syslog, and logs of no format that is known."""

from .templates import Kind

# What containers print, whatever it is; wrapped by what runs them.
PRINTED = [
    '10.0.$d2.$d2 - - [${%d/%b/%Y:%H:%M:%S} +0000] \\"GET $path HTTP/1.1\\" 200 $bytes',
    "${%Y/%m/%d %H:%M:%S} connected to $host:5432",
    "INFO  request served path=$path status=200",
    'level=info msg=\\"job $word done\\" took=${f}s',
    "processed $n ${word}s",
    "Server listening on port 8080",
    "${%Y-%m-%d %H:%M:%S},$ms INFO [main] com.example.$class - handled $n",
    "[DEBUG] cache hit for $word:$n",
    "GET $path 200 $d2 ms",
    "user $user logged in from $ip",
    "migrated $n rows of ${word}s",
    "worker $d1: idle",
    "warming up: $percent %",
    "$word: $n ok, 0 skipped",
    "DEBUG sql: SELECT 1 FROM ${word}s",
    "health check ok",
    "WARN  $word is slow: ${d4} ms",
]
PRINTED_ERRORS = [
    "ERROR cannot open $file: Permission denied",
    "panic: runtime error: invalid memory address or nil pointer dereference",
    'level=error msg=\\"cannot publish to $word\\" err=\\"timeout\\"',
    "Error: connect ECONNREFUSED $ip:5432",
    "FATAL: $word failed",
]


def plain(texts):
    return [text.replace('\\"', '"') for text in texts]


DAEMONS = [
    "sshd[$pid]: Accepted publickey for $user from $ip port $port ssh2: ED25519 SHA256:$x40",
    "CRON[$pid]: (root) CMD (command -v debian-sa1 > /dev/null && debian-sa1 1 1)",
    "systemd[1]: Started $word.service - $word daemon.",
    "systemd[1]: $word.service: Deactivated successfully.",
    "sshd[$pid]: pam_unix(sshd:session): session opened for user $user(uid=$d4) by (uid=0)",
    "kernel: [$d6.$d6] eth0: renamed from veth$x6",
    "dhclient[$pid]: DHCPREQUEST for $ip on eth0 to $ip port 67",
    "postfix/smtpd[$pid]: connect from unknown[$ip]",
    "postfix/qmgr[$pid]: $x12: from=<$user@example.com>, size=$bytes, nrcpt=1 (queue active)",
    "postfix/smtp[$pid]: $x12: to=<$user@example.org>, relay=mx.example.org[$ip]:25, delay=$f, dsn=2.0.0, status=sent (250 "
    "2.0.0 Ok: queued as $x12)",
    "sudo: $user : TTY=pts/$d1 ; PWD=/home/$user ; USER=root ; COMMAND=/usr/bin/systemctl restart $word",
    'dockerd[$pid]: time="${%Y-%m-%dT%H:%M:%S}Z" level=info msg="ignoring event" container=$x40',
    "named[$pid]: client @0x$x12 $ip#$port ($word.example.com): query: $word.example.com IN A +E(0)K ($ip)",
    "ntpd[$pid]: kernel reports TIME_ERROR: 0x41: Clock Unsynchronized",
    "systemd-logind[$pid]: New session $n of user $user.",
    "rsyslogd: action 'action-$d1-builtin:omfwd' resumed (module 'builtin:omfwd')",
    "haproxy[$pid]: $ip:$port [${%d/%b/%Y:%H:%M:%S}.$ms] http-in app/srv1 0/0/1/$d2/$d2 200 $bytes - - ---- 1/1/0/0/0 0/0 "
    '"GET $path HTTP/1.1"',
]
DAEMON_ERRORS = [
    "sshd[$pid]: error: kex_exchange_identification: Connection closed by remote host",
    "kernel: [$d6.$d6] Out of memory: Killed process $pid ($word) total-vm:${bytes}kB",
    "systemd[1]: $word.service: Failed with result 'exit-code'.",
    "sshd[$pid]: Failed password for invalid user $user from $ip port $port ssh2",
    "kernel: [$d6.$d6] blk_update_request: I/O error, dev sda, sector $n op 0x0:(READ)",
]

KINDS = [
    Kind(
        "cri",
        "https://github.com/kubernetes/design-proposals-archive/blob/main/node/kubelet-cri-logging.md",
        "${%Y-%m-%dT%H:%M:%S}.${ns}Z $text",
        usual={"stdout": ["stdout F " + text for text in plain(PRINTED)]},
        errors={"stderr": ["stderr F " + text for text in plain(PRINTED_ERRORS)]},
    ),
    Kind(
        "docker json",
        "https://docs.docker.com/engine/logging/drivers/json-file/",
        '{"log":"$text\\n","stream":"$level","time":"${%Y-%m-%dT%H:%M:%S}.${ns}Z"}',
        usual={"stdout": PRINTED},
        errors={"stderr": PRINTED_ERRORS},
    ),
    Kind(
        "rfc 3164",
        "https://www.rfc-editor.org/rfc/rfc3164",
        "${%b %d %H:%M:%S} $host $text",
        usual={"line": DAEMONS},
        errors={"error": DAEMON_ERRORS},
    ),
    Kind(
        "rfc 5424",
        "https://www.rfc-editor.org/rfc/rfc5424",
        "<$level>1 ${%Y-%m-%dT%H:%M:%S}.${us}Z $host $text",
        usual={
            "134": [
                'shop $pid ID$d2 [exampleSDID@32473 iut="$d1" eventSource="$word" eventID="$n"] $method $path 200',
                "shop $pid - - order $uuid created",
                'nginx $pid - - $ip - - "GET $path HTTP/1.1" 200 $bytes',
                "shop $pid - - cache $word: $n entries",
                "worker $pid JOB - job $word done in $f s",
                'worker $pid - [meta sequenceId="$seq"] $n ${word}s processed',
                "gateway $pid - - forwarded $n bytes to $ip:$port",
            ],
            "30": [
                "systemd 1 - - Started $word.service - $word daemon.",
                "systemd 1 - - Starting $word.service...",
                'dockerd $pid - - level=info msg="$word"',
                "named $pid - - client $ip#$port: query: $word.example.com IN AAAA",
            ],
            "86": [
                "sshd $pid - - Accepted publickey for $user from $ip port $port ssh2",
                "sudo $pid - - pam_unix(sudo:session): session opened for user root(uid=0) by $user(uid=$d4)",
                "CRON $pid - - pam_unix(cron:session): session closed for user root",
            ],
            "135": ["shop $pid - - cache lookup $word:$n", "shop $pid - - SELECT $n FROM ${word}s"],
            "132": ["shop $pid - - slow query on ${word}s: $f s", "worker $pid - - retry $d1 of $word"],
        },
        errors={
            "131": ["shop $pid - - cannot reach $host: connection refused", "worker $pid JOB - job $word failed"],
            "3": ["kernel - - - I/O error, dev sda, sector $n"],
            "130": ["shop $pid - - out of disk space on $file"],
        },
    ),
    Kind(
        "plain with level",
        "what printf and echo leave",
        "$level $text",
        usual={
            "INFO": [
                "something happened id=$n",
                "starting up",
                "connected to $host",
                "loaded $n ${word}s from $file",
                "$method $path -> 200",
                "job $word done",
                "sleeping for ${d2}s",
                "user $user signed in",
                "sent $n bytes to $ip",
                "$percent% of $word done",
                "tick $seq",
                "cache has $n entries",
                "queue $word is empty",
                "reloaded $file",
            ],
            "DEBUG": [
                "key=$word value=$n",
                "entering $word",
                "leaving $word after $f s",
                "lock $word held by $user",
                "raw: $x32",
            ],
            "WARN": ["$word is almost full: $percent%", "slow answer from $host: $f s"],
        },
        errors={
            "ERROR": ["cannot open $file", "$word failed with $d2", "lost the connection to $host"],
            "FATAL": ["no $word, giving up"],
        },
    ),
    Kind(
        "plain",
        "what printf and echo leave",
        "$text",
        usual={
            "text": [
                "Processing $word $n of $d5",
                "Fetching https://$host.example.com$path",
                "Done in ${f}s.",
                "$n ${word}s imported",
                "Connected to $host ($ip)",
                "Loading $file ...",
                "* $word: ok",
                "  $word = $n",
                "step $n/$d6, loss $f, lr 0.000$d1",
                "Downloaded $bytes bytes in $f s",
                "Listening on http://0.0.0.0:8080",
                "$user moved $word to $word",
                "-----",
                "Checking $word... yes",
                "Queue length: $n",
                "no changes in $word",
                "$d2.$d2.$d4 $d2:$d2 $word $n",
                "$x40  $file",
            ]
        },
        errors={
            "text": [
                "Error: $word not found",
                "$file: Permission denied",
                "Failed to fetch https://$host.example.com$path: timeout",
                'Traceback (most recent call last):\n  File "job.py", line $d2, in <module>\n    main()\nValueError: $word',
            ]
        },
    ),
    Kind(
        "build output",
        "https://www.gnu.org/software/make/manual/make.html",
        "$text",
        usual={
            "text": [
                "[$percent%] Building CXX object src/CMakeFiles/$word.dir/$word.cpp.o",
                "gcc -O2 -Wall -Wextra -c -o build/$word.o src/$word.c",
                "  CC      drivers/$word/$word.o",
                "  LD [M]  drivers/$word/$word.ko",
                "   Compiling $word v0.$d1.$d1",
                "checking for $word.h... yes",
                "make[$d1]: Entering directory '/src/$word'",
                "make[$d1]: Leaving directory '/src/$word'",
                "Step $d1/$d2 : RUN apt-get install -y $word",
                " ---> $x12",
                "added $n packages, and audited $n packages in ${d2}s",
                "> Task :$word:compileJava",
                "ok  \tgithub.com/example/$word\t${f}s",
                "test $word::tests::it_works ... ok",
                "PASS src/$word.test.js",
                "[INFO] Downloading from central: https://repo.maven.apache.org/maven2/$word/$d1.$d1/$word.pom",
                "src/$word.c:$d3:$d2: warning: unused variable '$word' [-Wunused-variable]\n  $d3 |     int $word;\n      | "
                "        ^~~~~",
                "Get:$d2 http://deb.debian.org/debian bookworm/main amd64 $word amd64 $d1.$d1 [$d3 kB]",
            ]
        },
        errors={
            "text": [
                "src/$word.c:$d3:$d2: error: '$word' undeclared (first use in this function)",
                "make: *** [Makefile:$d2: build/$word.o] Error 1",
                "npm ERR! code E404",
                "error[E0425]: cannot find value `$word` in this scope\n --> src/$word.rs:$d2:$d1",
                "FAIL src/$word.test.js",
                "[ERROR] Failed to execute goal on project $word",
            ]
        },
    ),
    Kind(
        "windows cbs",
        "https://learn.microsoft.com/windows-hardware/manufacture/desktop/deployment-troubleshooting-and-log-files",
        "${%Y-%m-%d %H:%M:%S}, $level $text",
        usual={
            "Info                 ": [
                "CBS    Session: ${d8}_$d10 initialized by client WindowsUpdateAgent.",
                "CBS    Read out cached package applicability for package: "
                "Package_for_KB$d7~31bf3856ad364e35~amd64~~6.1.1.$d1, ApplicableState: 112, CurrentState:112",
                "CSI    0000$x4 [SR] Verifying 100 (0x00000064) components",
                "CSI    0000$x4 [SR] Beginning Verify and Repair transaction",
                "CSI    0000$x4@2026/1/5:08:$d2:$d2.$d3 CSI Transaction @0x$x8 initialized for deployment engine {$uuid}",
                "CBS    Loaded Servicing Stack v6.1.7601.$d5 with Core: C:\\Windows\\winsxs\\amd64_$word\\cbscore.dll",
                "CBS    Ending TrustedInstaller initialization.",
                "CBS    Starting TrustedInstaller finalization.",
                "CBS    NonStart: Checking to ensure startup processing was not required.",
                "CBS    No startup processing required, TrustedInstaller service was not set as autostart",
                "CBS    Warning: Unrecognized packageExtended attribute.",
                "CBS    Expecting attribute name [HRESULT = 0x800f080d - CBS_E_MANIFEST_INVALID_ITEM]",
                "CBS    SQM: Initializing online with Windows opt-in: False",
                "CBS    SQM: Cleaning up report files older than 10 days.",
                "CBS    Appl: detect Parent, Package: Package_for_KB$d7, disposition = Detect, VersionComp: EQ",
                "CBS    Scavenge: Package store indicates there is no component to scavenge, skipping.",
                "CSI    0000$x4 IAdvancedInstallerAwareStore_ResolvePendingTransactions (call 1) (flags = 0, progress = NULL)",
            ],
            "Warning              ": ["CBS    Idle processing thread: $word took $d4 ms"],
        },
        errors={
            "Error                ": [
                "CBS    Failed to get session package state for package: Package_for_KB$d7 [HRESULT = 0x80070490 - "
                "ERROR_NOT_FOUND]",
                "CSI    0000$x4 (F) STATUS_OBJECT_NAME_NOT_FOUND #$n# from "
                "Windows::Rtl::SystemImplementation::DirectFileSystemProvider",
                "CBS    Exec: Processing failed. [HRESULT = 0x800f0922 - CBS_E_INSTALLERS_FAILED]",
            ]
        },
    ),
    Kind(
        "supercomputer ras",
        "https://www.usenix.org/cfdr-data",
        "- $epoch ${%Y.%m.%d} R$d2-M0-N$d1-C:J$d2-U$d2 ${%Y-%m-%d-%H.%M.%S}.$us R$d2-M0-N$d1-C:J$d2-U$d2 RAS $text",
        usual={
            "KERNEL INFO": [
                "KERNEL INFO instruction cache parity error corrected",
                "KERNEL INFO generating core.$n",
                "KERNEL INFO $d3 double-hummer alignment exceptions",
                "KERNEL INFO CE sym $d2, at 0x$x8, mask 0x$x4",
                "KERNEL INFO total of $d1 ddr error(s) detected and corrected",
                "KERNEL INFO $d1 floating point alignment exceptions",
                "KERNEL INFO ciod: LOGIN chdir($file) done",
                "KERNEL INFO iar 0x$x8 dear 0x$x8",
                "KERNEL INFO $d1 L3 EDRAM error(s) (dcr 0x$x4) detected and corrected",
                "KERNEL INFO shutdown complete",
                "KERNEL INFO machine check: i-fetch......................0",
                "KERNEL INFO data address: 0x$x8",
                "KERNEL INFO core configuration register: 0x$x8",
                "DISCOVERY INFO Node card VPD check: missing U$d2 node, VPD ecid $x32 in processor card slot J$d2",
                "HARDWARE INFO $word was detected",
                "MMCS INFO ciodb has been restarted.",
                "APP INFO ciod: generated $n core files for program $file",
            ],
            "KERNEL WARNING": [
                "LINKCARD WARNING MidplaneSwitchController performing bit sparing on R$d2-M1-L$d1-U$d2-D bit $d1",
                "DISCOVERY WARNING Node card is not fully functional",
            ],
        },
        errors={
            "KERNEL FATAL": [
                "KERNEL FATAL data TLB error interrupt",
                "KERNEL FATAL data storage interrupt",
                "APP FATAL ciod: Error reading message prefix after LOGIN_MESSAGE on CioStream socket to $ip:$port",
                "KERNEL FATAL rts panic! - stopping execution",
                "MMCS ERROR idoproxydb hit ASSERT condition: ASSERT expression=$d1",
            ]
        },
    ),
    Kind(
        "proxy client",
        "https://www.proxifier.com/docs/",
        "[${%m.%d %H:%M:%S}] $text",
        usual={
            "line": [
                "chrome.exe - proxy.example.com:5070 open through proxy proxy.example.com:5070 HTTPS",
                "chrome.exe - $host.example.com:443 close, $n bytes sent, $n bytes received, lifetime 00:$d2",
                "firefox.exe - $host.example.com:443 open through proxy proxy.example.com:5070 HTTPS",
                "firefox.exe - $host.example.com:443 close, $n bytes ($percent KB) sent, $n bytes ($percent KB) received, "
                "lifetime 0$d1:$d2",
                "Dropbox.exe - client.example.com:443 close, 0 bytes sent, 0 bytes received, lifetime <1 sec",
                "outlook.exe *64 - mail.example.com:993 open through proxy proxy.example.com:5070 HTTPS",
                "outlook.exe *64 - mail.example.com:993 close, $n bytes sent, $n bytes received, lifetime 00:$d2",
                "git.exe - $host.example.com:22 open directly",
                "git.exe - $host.example.com:22 close, $n bytes sent, $n bytes received, lifetime 00:0$d1",
                "svchost.exe *64 - $ip:80 open directly",
                "svchost.exe *64 - $ip:80 close, $n bytes sent, $n bytes received, lifetime <1 sec",
                "Skype.exe - $ip:$port open through proxy proxy.example.com:5070 HTTPS",
                "Skype.exe - $ip:$port close, $n bytes sent, $n bytes received, lifetime 1$d1:$d2",
                "Log file: $file",
                "Automatic DNS mode detection: Windows API",
                "Rule $word matched: proxy",
                "java.exe - $host.example.com:8443 open through proxy proxy.example.com:5070 SOCKS5",
            ]
        },
        errors={
            "error": [
                "chrome.exe - $host.example.com:443 error : Could not connect through proxy proxy.example.com:5070 - Proxy "
                "server cannot establish a connection with the target, status code 403",
                "Dropbox.exe - client.example.com:443 error : Could not connect to proxy proxy.example.com:5070 - "
                "connection attempt failed with error 10061",
                "firefox.exe - $ip:443 error : A connection request was canceled before the completion.",
            ]
        },
    ),
    Kind(
        "phone pipes",
        "https://developer.android.com/training/data-storage/app-specific",
        "${%Y%m%d-%H:%M:%S}:$ms|$text",
        usual={
            "line": [
                "Step_LSC|$d8|onStandStepChanged $n",
                "Step_LSC|$d8|onExtend:$epochms $n $d1 $d1",
                "Step_SPUtils|$d8|getTodayTotalDetailSteps = $epochms##$n##$d6##$d4##$d5##$d8",
                "Step_SPUtils|$d8| setTodayTotalDetailSteps=$epochms##$n##$d6##$d4##$d5##$d8",
                "Step_ExtSDM|$d8|calculateCaloriesWithCache totalCalories=$d6",
                "Step_ExtSDM|$d8|calculateAltitudeWithCache totalAltitude=$d3",
                "Step_StandReportReceiver|$d8|REPORT : $n $d4 $d5 $d3",
                "Step_StandStepCounter|$d8|flush sensor data",
                "Step_StandStepDataManager|$d8|getStepLevel: 0",
                "Step_HGNH|$d8|upLoadHealthData: $n",
                "HiH_HiHealthDataInsertStore|$d8|insertHealthData() type = $d5",
                "HiH_DataStatManager|$d8|new stat date = ${%Y%m%d}, type = $d5,$percent,old=$percent",
                "HiH_HiSyncControl|$d8|checkFirstSync $word",
                "HiH_ListenerManager|$d8|subscribeHiHealthData types: $d2",
                "Step_FlushableStepDataCache|$d8|upgrade $n",
                "Step_DataCache|$d8|new date =${%Y%m%d}, set to default",
            ]
        },
        errors={
            "line": [
                "HiH_HiHealthBinder|$d8|insert failed, error code $d2",
                "Step_ExtSDM|$d8|Exception: java.lang.IllegalStateException: $word",
                "HiH_HiSyncUtil|$d8|sync error: no network",
                "Step_DBManager|$d8|cannot open database $word",
            ]
        },
    ),
    Kind(
        "nagios",
        "https://assets.nagios.com/downloads/nagioscore/docs/nagioscore/4/en/configmain.html#log_file",
        "[$epoch] $text",
        usual={
            "line": [
                "CURRENT SERVICE STATE: $host;HTTP;OK;HARD;1;HTTP OK: HTTP/1.1 200 OK - $d4 bytes in 0.$d3 second response "
                "time",
                "CURRENT HOST STATE: $host;UP;HARD;1;PING OK - Packet loss = 0%, RTA = 0.$d2 ms",
                "SERVICE ALERT: $host;Current Load;OK;SOFT;2;OK - load average: $f, $f, $f",
                "SERVICE ALERT: $host;Disk Space;WARNING;HARD;3;DISK WARNING - free space: / $d4 MB ($d2% inode=$d2%):",
                "SERVICE NOTIFICATION: $user;$host;HTTP;OK;notify-service-by-email;HTTP OK",
                "EXTERNAL COMMAND: PROCESS_SERVICE_CHECK_RESULT;$host;$word;0;$word ok",
                "EXTERNAL COMMAND: SCHEDULE_FORCED_SVC_CHECK;$host;$word;$epoch",
                "PASSIVE SERVICE CHECK: $host;$word;0;$word ok",
                "Auto-save of retention data completed successfully.",
                "LOG ROTATION: DAILY",
                "LOG VERSION: 2.0",
                "wproc: Registry request: name=Core Worker $pid;pid=$pid",
                "SERVICE FLAPPING ALERT: $host;$word;STOPPED; Service appears to have stopped flapping ($d1.$d1% change < "
                "5.0% threshold)",
                "HOST ALERT: $host;UP;HARD;1;PING OK - Packet loss = 0%, RTA = 0.$d2 ms",
                "SERVICE DOWNTIME ALERT: $host;$word;STARTED; Service has entered a period of scheduled downtime",
                "Successfully launched command file worker with pid $pid",
                "GLOBAL SERVICE EVENT HANDLER: $host;$word;(null);(null);(null);$word",
            ]
        },
        errors={
            "line": [
                "SERVICE ALERT: $host;HTTP;CRITICAL;HARD;3;connect to address $ip and port 80: Connection refused",
                "HOST ALERT: $host;DOWN;HARD;5;CRITICAL - Host Unreachable ($ip)",
                "Error: Could not open external command file for reading via open(): (2) -> No such file or directory",
                "Warning: Check of service '$word' on host '$host' timed out after 60.01s!",
            ]
        },
    ),
]
