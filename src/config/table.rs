//! The table of variables: one block each, with name, default, help, example and parser.
//!
//! Nothing else lists them. A new variable is a block here and a field of [`Config`].

use std::ffi::OsStr;
use std::net::SocketAddr;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;
use std::rc::Rc;
use std::time::Duration;

use tracing_subscriber::filter::LevelFilter;

use super::condition::Condition;
use super::guess;
use super::settings::{Config, RATE_MIN, ReadFrom};
use super::spelling;
use super::timezone;
use crate::disk::policy::{Budget, Method, SIZE_MIN};
use crate::disk::writers::SignalTo;
use crate::format::{FormatId, Formats};
use crate::output::encode::encodings::ENCODINGS;
use crate::output::rules::Rule;
use crate::paths::beneath::Links;
use crate::paths::glob::{NameGlob, Pattern, split_list};
use crate::report::message::LogFormat;
use crate::shelf::checkpoint::Place;
use crate::sys::units;

/// What goes to stderr if nobody says so.
pub(crate) const STDERR_DEFAULT: &str = "level>=error";

/// More archives than this are a mistake: each rotation renames all of them.
const KEEP_MAX: u32 = 1000;

/// One environment variable.
pub struct Variable {
    /// Its name without the prefix `SIDETAIL_`.
    pub name: &'static str,
    /// The value that it has when it is not set; empty for none.
    pub default: &'static str,
    /// What it does, in one sentence.
    pub help: &'static str,
    /// A valid value that is not the default.
    pub example: &'static str,
    /// Parses a value into the configuration, or returns everything that is wrong with it.
    pub set: fn(&mut Config, &OsStr) -> Result<(), Vec<String>>,
}

/// Every variable, in the order in which people meet them.
pub const TABLE: &[Variable] = &[
    Variable {
        name: "PATHS",
        default: "/var/log/**/*.log",
        help: "Files and globs to follow, separated by commas (outside braces) or newlines: `*` `?` `[a-z]` `{a,b}` \
               `**`; wildcards do not match a leading dot.",
        example: "/var/log/app/*.log,/var/log/nginx/{access,error}.log",
        set: |config, text| {
            let parts = split_list(text.as_bytes());
            if parts.is_empty() {
                return one_problem("no file is named; use paths or globs such as /var/log/*.log");
            }
            let (mut paths, mut problems) = (Vec::new(), Vec::new());
            for part in parts {
                match spelling::check(part).and_then(|()| Pattern::parse(part, &config.cwd)) {
                    Ok(patterns) => paths.extend(patterns),
                    Err(why) => problems.push(format!("{:?}: {why}", String::from_utf8_lossy(part))),
                }
            }
            config.paths = paths;
            config.patterns_text.push_str(&text.to_string_lossy());
            config.patterns_text.push('\n');
            if problems.is_empty() { Ok(()) } else { Err(problems) }
        },
    },
    Variable {
        name: "EXCLUDE",
        default: "",
        help: "Files not to follow, written as in `PATHS`; a glob without `/` matches the base name. Compressed \
               files are never followed.",
        example: "*.tmp,/var/log/audit/**",
        set: |config, text| {
            let parse = |part| spelling::check(part).and_then(|()| NameGlob::parse(part));
            let globs = split_list(text.as_bytes()).into_iter().map(parse).collect::<Result<_, _>>();
            config.exclude = globs.map_err(|why| vec![why])?;
            config.patterns_text.push_str(&text.to_string_lossy());
            Ok(())
        },
    },
    Variable {
        name: "LINKS",
        default: "inside",
        help: "Which symbolic links to follow: `inside`: those that stay inside the pattern's fixed directory; \
               `any`: all, wherever they lead.",
        example: "any",
        set: |config, text| {
            let text = utf8(text)?;
            config.links = one_of(text, &[("inside", Links::Inside), ("any", Links::Any)])?;
            Ok(())
        },
    },
    Variable {
        name: "START",
        default: "beginning",
        help: "Where to start reading files that exist at the first start: `beginning` or `end`; later files are \
               read from the beginning.",
        example: "end",
        set: |config, text| {
            let text = utf8(text)?;
            config.start = one_of(text, &[("beginning", ReadFrom::Beginning), ("end", ReadFrom::End)])?;
            Ok(())
        },
    },
    Variable {
        name: "FORMATS",
        default: "",
        help: "`GLOB=FORMAT` pairs, separated by commas, that pin the format of these files instead of detecting it.",
        example: "access*.log=access,*.txt=plain",
        set: |config, text| {
            let mut pins = Vec::new();
            let mut problems = Vec::new();
            for pair in split_list(text.as_bytes()) {
                match pin(&String::from_utf8_lossy(pair), &config.formats) {
                    Ok(pin) => pins.push(pin),
                    Err(why) => problems.push(why),
                }
            }
            formats(config).pins = pins;
            if problems.is_empty() { Ok(()) } else { Err(problems) }
        },
    },
    Variable {
        name: "FORMAT_<NAME>",
        default: "",
        help: "A format of your own: a regular expression with the named groups `time`, `level` and `message`; other \
               lines continue the previous record.",
        example: "^(?<time>\\S+) \\[(?<level>\\w+)\\] (?<message>.*)",
        // Taken before all others, because they may name it.
        set: |_, _| Ok(()),
    },
    Variable {
        name: "STDERR",
        default: STDERR_DEFAULT,
        help: "Rules for what goes to stderr, one per line or separated by `;`. Everything else goes to stdout; \
               empty: everything goes there.",
        example: "level>=warn; file:error.log; match:^Oops",
        set: |config, text| {
            let text = utf8(text)?;
            config.router.stderr = Rule::parse_all(text, &config.formats)?;
            Ok(())
        },
    },
    Variable {
        name: "DROP",
        default: "",
        help: "Rules, written as in `STDERR`, for lines that are not streamed at all.",
        example: "file:access.log match:GET /healthz",
        set: |config, text| {
            let text = utf8(text)?;
            config.router.drop = Rule::parse_all(text, &config.formats)?;
            Ok(())
        },
    },
    Variable {
        name: "OUTPUT",
        default: "raw",
        help: "How lines are written: `raw` (byte for byte), `prefix` (`[file] line`), or one JSON object per \
               record: `json`, `ecs`, `gcp`.",
        example: "json",
        set: |config, text| {
            let text = utf8(text)?;
            config.output = one_of(text, &ENCODINGS.map(|one| (one.name, one)))?;
            Ok(())
        },
    },
    Variable {
        name: "TIMEZONE",
        default: "UTC",
        help: "Time zone of times without one, with `OUTPUT=json`, `ecs` and `gcp`: an offset, a POSIX TZ string, or a \
               name if `/usr/share/zoneinfo` is mounted.",
        example: "CET-1CEST,M3.5.0,M10.5.0/3",
        set: |config, text| {
            let text = utf8(text)?;
            formats(config).times.zone = timezone::find(text).map_err(|why| vec![why])?;
            Ok(())
        },
    },
    Variable {
        name: "MULTILINE",
        default: "auto",
        help: "`auto`: a line that continues a record, such as a stack trace, goes where the record went; `off`: \
               each line is judged alone.",
        example: "off",
        set: |config, text| {
            let text = utf8(text)?;
            formats(config).multiline = one_of(text, &[("auto", true), ("off", false)])?;
            Ok(())
        },
    },
    Variable {
        name: "MAX_LINE",
        default: "1Mi",
        help: "Longer lines are streamed in pieces of this size, each ended by a newline.",
        example: "256Ki",
        set: |config, text| {
            let text = utf8(text)?;
            let bytes = units::quantity(text).map_err(|why| vec![why])?;
            match usize::try_from(bytes) {
                Ok(0) => one_problem("pieces of 0 bytes hold no line; use a size such as 1Mi"),
                Ok(bytes) => {
                    config.line_bytes_max = bytes;
                    Ok(())
                }
                Err(_) => one_problem("too large for this machine; use a size such as 1Mi"),
            }
        },
    },
    Variable {
        name: "PARTIAL_TIMEOUT",
        default: "off",
        help: "Stream an unfinished last line after this time; `off`: only when the line is finished or its file \
               ends.",
        example: "5s",
        set: |config, text| {
            config.partial_timeout = duration_or_off(text)?;
            Ok(())
        },
    },
    Variable {
        name: "RATE_LIMIT",
        default: "off",
        help: "Bytes streamed per second, after a burst of one second's worth, so that a backlog does not push new \
               lines out of `kubectl logs`.",
        example: "500k",
        set: |config, text| {
            config.rate_limit = size_or_off(text)?;
            match config.rate_limit {
                Some(..RATE_MIN) => one_problem("too low, one write would take minutes; use 1Ki or more, or off"),
                _ => Ok(()),
            }
        },
    },
    Variable {
        name: "DRAIN_TIMEOUT",
        default: "1500ms",
        help: "After SIGTERM everything in the files is streamed; how long stdout and stderr may accept nothing meanwhile.",
        example: "10s",
        set: |config, text| {
            config.drain_timeout = duration(text)?;
            Ok(())
        },
    },
    Variable {
        name: "LINGER",
        default: "0s",
        help: "How long after SIGTERM files are still followed, for classic pods, where the application gets it at the same time.",
        example: "5s",
        set: |config, text| {
            config.linger = duration(text)?;
            Ok(())
        },
    },
    Variable {
        name: "ROTATE_SIZE",
        default: "off",
        help: "Reclaim disk when a file holds more than this: only streamed data, the oldest first.",
        example: "8Mi",
        set: |config, text| {
            config.rotate.size = size_or_off(text)?;
            match config.rotate.size {
                Some(..SIZE_MIN) => one_problem("too small to reclaim whole blocks; use 64Ki or more, or off"),
                _ => Ok(()),
            }
        },
    },
    Variable {
        name: "ROTATE_INTERVAL",
        default: "off",
        help: "Reclaim all streamed data at least this often.",
        example: "24h",
        set: |config, text| {
            config.rotate.interval = duration_or_off(text)?;
            Ok(())
        },
    },
    Variable {
        name: "ROTATE_METHOD",
        default: "auto",
        help: "How to reclaim disk: `punch`, `collapse`, `rename`, `copytruncate`; `auto`: the best method that \
               loses nothing on this file system.",
        example: "punch",
        set: |config, text| {
            let text = utf8(text)?;
            config.rotate.method = one_of(text, &Method::NAMES)?;
            Ok(())
        },
    },
    Variable {
        name: "ROTATE_KEEP",
        default: "0",
        help: "Number of archives of reclaimed data to keep per file; `app.log.1.gz` is the newest.",
        example: "5",
        set: |config, text| {
            let text = utf8(text)?;
            let keep = text.parse().ok().filter(|keep| *keep <= KEEP_MAX);
            match keep {
                Some(keep) => {
                    config.rotate.keep = keep;
                    Ok(())
                }
                None if ["off", "none", "no", "false"].iter().any(|word| is_word(text, word)) => {
                    one_problem("not a number of archives; did you mean 0?")
                }
                None => one_problem("not a number of archives; use a number from 0 to 1000"),
            }
        },
    },
    Variable {
        name: "ROTATE_COMPRESS",
        default: "gzip",
        help: "Compression of archives: `gzip` or `none`.",
        example: "none",
        set: |config, text| {
            let text = utf8(text)?;
            config.rotate.compress = one_of(text, &[("gzip", true), ("none", false)])?;
            Ok(())
        },
    },
    Variable {
        name: "ROTATE_MAX_AGE",
        default: "off",
        help: "Delete archives that are older than this.",
        example: "168h",
        set: |config, text| {
            config.rotate.max_age = duration_or_off(text)?;
            Ok(())
        },
    },
    Variable {
        name: "ROTATE_SIGNAL",
        default: "",
        help: "With `rename`: signal for the processes of this name, written `HUP:nginx`; needs \
               shareProcessNamespace.",
        example: "USR1:nginx",
        set: |config, text| {
            let text = utf8(text)?;
            let signal = (!text.is_empty()).then(|| SignalTo::parse(text)).transpose();
            config.rotate.signal = signal.map_err(|why| vec![why])?;
            Ok(())
        },
    },
    Variable {
        name: "DIR_BUDGET",
        default: "off",
        help: "Limit on the disk that the followed directories use: deletes the oldest archives, then reclaims \
               streamed data; `auto`: 80 % of a dedicated volume.",
        example: "48Mi",
        set: |config, text| {
            config.rotate.budget = match utf8(text)? {
                off if is_word(off, "off") => Budget::Off,
                auto if is_word(auto, "auto") => Budget::Auto,
                size => Budget::Bytes(units::quantity(size).map_err(|why| match guess::choice(size, ["auto"]) {
                    Some(question) => vec![format!("not a size; {question}")],
                    None => vec![or(size, &why, "off or auto")],
                })?),
            };
            match config.rotate.budget {
                Budget::Bytes(..SIZE_MIN) => one_problem("too small for any log; use 64Ki or more, off or auto"),
                _ => Ok(()),
            }
        },
    },
    Variable {
        name: "STATE",
        default: "auto",
        help: "Directory of the checkpoint; `auto`: `.sidetail/` beside the logs if writable, otherwise in memory, \
               with a warning; `off`: in memory.",
        example: "/state",
        set: |config, text| {
            let text = utf8(text)?;
            config.state = match text {
                auto if is_word(auto, "auto") => Place::Auto,
                off if is_word(off, "off") => Place::Off,
                path if path.starts_with('/') => Place::Directory(PathBuf::from(path)),
                other => {
                    let way_out = guess::choice(other, ["off"]);
                    let way_out = way_out.unwrap_or_else(|| "use auto, off or an absolute path".to_owned());
                    return one_problem(&format!("not a valid place; {way_out}"));
                }
            };
            Ok(())
        },
    },
    Variable {
        name: "EXIT_ON",
        default: "never",
        help: "For Jobs without native sidecars: exit when the first of these holds: `file:PATH` exists, nothing new \
               came for `idle:30s`, `process:NAME` has ended.",
        example: "file:/var/log/done,process:java",
        set: |config, text| {
            let text = utf8(text)?;
            config.exit_on = if is_word(text, "never") { Vec::new() } else { Condition::parse_all(text)? };
            Ok(())
        },
    },
    Variable {
        name: "LISTEN",
        default: "off",
        help: "Address to serve `/metrics` (Prometheus), `/healthz` and `/readyz` on, such as `0.0.0.0:9100`; every \
               line is then read.",
        example: "0.0.0.0:9100",
        set: |config, text| {
            let text = utf8(text)?;
            config.listen = if is_word(text, "off") { None } else { Some(address(text)?) };
            Ok(())
        },
    },
    Variable {
        name: "LOG",
        default: "warn",
        help: "Minimum level of sidetail's own messages on stderr: `off`, `error`, `warn`, `info`, `debug`, `trace`.",
        example: "info",
        set: |config, text| {
            let text = utf8(text)?;
            let levels = [
                ("off", LevelFilter::OFF),
                ("error", LevelFilter::ERROR),
                ("warn", LevelFilter::WARN),
                ("info", LevelFilter::INFO),
                ("debug", LevelFilter::DEBUG),
                ("trace", LevelFilter::TRACE),
            ];
            config.log = one_of(text, &levels)?;
            Ok(())
        },
    },
    Variable {
        name: "LOG_FORMAT",
        default: "text",
        help: "Format of sidetail's own messages: `text` (`sidetail: ...`) or `json`.",
        example: "json",
        set: |config, text| {
            let text = utf8(text)?;
            config.log_format = one_of(text, &[("text", LogFormat::Text), ("json", LogFormat::Json)])?;
            Ok(())
        },
    },
];

/// Returns the formats to change; nobody else has them yet.
fn formats(config: &mut Config) -> &mut Formats {
    Rc::get_mut(&mut config.formats).expect("the configuration is not shared while it is read")
}

/// Returns one pair of `FORMATS`.
fn pin(pair: &str, formats: &Formats) -> Result<(NameGlob, FormatId), String> {
    let is_format = |name: &str| formats.by_name(&name.trim().to_ascii_lowercase()).is_some();
    let (glob, name) = pair.rsplit_once('=').ok_or_else(|| {
        let way_out = match pair.rsplit_once(':').filter(|(_, name)| is_format(name)) {
            Some((glob, name)) => format!("did you mean {}={}?", glob.trim(), name.trim()),
            None => "use GLOB=FORMAT, such as access*.log=access".to_owned(),
        };
        format!("{pair:?}: the `=` is missing; {way_out}")
    })?;
    if glob.split([';', ' ', '\t']).any(|other| other.contains('=') && other != glob) {
        return Err(format!("{pair:?}: pairs are separated by commas"));
    }
    if is_format(glob) && !is_format(name) {
        return Err(format!("{pair:?}: the glob stands first; did you mean {}={}?", name.trim(), glob.trim()));
    }
    let glob = NameGlob::parse(glob.trim().as_bytes()).map_err(|why| format!("{pair:?}: {why}"))?;
    let name = name.trim();
    let id =
        formats.by_name(&name.to_ascii_lowercase()).ok_or_else(|| format!("{pair:?}: {}", formats.unknown(name)))?;
    Ok((glob, id))
}

fn duration(value: &OsStr) -> Result<Duration, Vec<String>> {
    let text = utf8(value)?;
    units::duration(text).map_err(|why| match guess::no_time(text) {
        Some(question) => vec![format!("not a duration; {question}")],
        None => vec![why],
    })
}

fn duration_or_off(value: &OsStr) -> Result<Option<Duration>, Vec<String>> {
    let text = utf8(value)?;
    let duration = (!is_word(text, "off")).then(|| units::duration(text)).transpose();
    duration.map_err(|why| vec![or(text, &why, "off")])
}

fn size_or_off(value: &OsStr) -> Result<Option<u64>, Vec<String>> {
    let text = utf8(value)?;
    let size = (!is_word(text, "off")).then(|| units::quantity(text)).transpose();
    size.map_err(|why| vec![or(text, &why, "off")])
}

/// Adds words to a list of what can be used instead; a question has no list, and a word for off is one.
fn or(text: &str, why: &str, words: &str) -> String {
    match guess::choice(text, ["off"]) {
        Some(question) => format!("not a valid choice; {question}"),
        None if why.ends_with('?') => why.to_owned(),
        None => format!("{why}, or {words}"),
    }
}

fn utf8(value: &OsStr) -> Result<&str, Vec<String>> {
    value.to_str().ok_or_else(|| vec!["not valid UTF-8; encode it as UTF-8".to_owned()])
}

/// Returns whether a value is this word, in capitals or not.
fn is_word(text: &str, word: &str) -> bool {
    text.eq_ignore_ascii_case(word)
}

/// Returns the address to listen on; without a host it is every address of IPv4.
fn address(text: &str) -> Result<SocketAddr, Vec<String>> {
    let (host, port) = text.rsplit_once(':').unwrap_or(("", ""));
    let host = match host {
        "" | "*" => "0.0.0.0",
        _ if is_word(host, "localhost") => "127.0.0.1",
        host => host,
    };
    format!("{host}:{port}").parse().map_err(|_| {
        let names = || "use one such as 0.0.0.0:9100 or [::]:9100, or off".to_owned();
        let way_out = guess::choice(text, ["off"]).or_else(|| guess::address(text)).unwrap_or_else(names);
        vec![format!("not an address with a port; {way_out}")]
    })
}

fn one_of<T: Copy>(text: &str, choices: &[(&str, T)]) -> Result<T, Vec<String>> {
    choices.iter().find(|(name, _)| is_word(text, name)).map(|(_, value)| *value).ok_or_else(|| {
        let names: Vec<&str> = choices.iter().map(|(name, _)| *name).collect();
        let way_out = guess::choice(text, names.iter().copied());
        vec![format!("not a valid choice; {}", way_out.unwrap_or_else(|| format!("use one of {}", names.join(", "))))]
    })
}

fn one_problem(why: &str) -> Result<(), Vec<String>> {
    Err(vec![why.to_owned()])
}
