//! What a request's head asks for, and what is wrong with it.
//!
//! Source: RFC 9110, RFC 9112.

/// The longest head that is read, in bytes: Prometheus' and the kubelet's take some hundred.
pub(crate) const HEAD_BYTES_MAX: usize = 8 * 1024;

/// How many header fields a request may have.
const FIELDS_MAX: usize = 64;

/// What is requested.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Target {
    /// `/metrics`, in the OpenMetrics format or in the older one.
    Metrics {
        /// Which of the two.
        is_open_metrics: bool,
    },
    /// `/healthz`.
    Health,
    /// `/readyz`.
    Readiness,
}

/// A request that can be answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Request {
    /// What it asks for.
    pub target: Target,
    /// It wants the head of the answer alone.
    pub is_head: bool,
}

/// Reads as much of a head as is there; `None` if that is not all of it.
///
/// # Errors
/// The status that it is refused with.
pub(crate) fn read(bytes: &[u8]) -> Option<Result<Request, u16>> {
    // Not parsed again and again for a client that sends a byte at a time.
    let Some(end) = end_of_head(bytes) else {
        return (bytes.len() >= HEAD_BYTES_MAX).then_some(Err(431));
    };
    if end > HEAD_BYTES_MAX {
        return Some(Err(431));
    }
    let mut fields = [httparse::EMPTY_HEADER; FIELDS_MAX];
    let mut request = httparse::Request::new(&mut fields);
    Some(match request.parse(&bytes[..end]) {
        Ok(httparse::Status::Complete(_)) => understood(&request),
        Err(httparse::Error::TooManyHeaders) => Err(431),
        Ok(httparse::Status::Partial) | Err(_) => Err(400),
    })
}

/// Returns where a head ends, with the empty line.
fn end_of_head(bytes: &[u8]) -> Option<usize> {
    memchr::memchr_iter(b'\n', bytes).map(|at| at + 1).find(|end| {
        let line = &bytes[..end - 1];
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        line.ends_with(b"\n")
    })
}

fn understood(request: &httparse::Request<'_, '_>) -> Result<Request, u16> {
    let field = |name: &str| {
        let mut fields = request.headers.iter().filter(move |field| field.name.eq_ignore_ascii_case(name));
        fields.next().map(|field| field.value)
    };
    let is_head = match request.method {
        Some("GET") => false,
        Some("HEAD") => true,
        _ => return Err(405),
    };
    let lengths = request.headers.iter().filter(|field| field.name.eq_ignore_ascii_case("content-length")).count();
    if lengths > 1 {
        // RFC 9112, section 6.3: whoever is in between may have believed another one of them.
        return Err(400);
    }
    // Nothing that is asked for takes a body.
    if field("transfer-encoding").is_some() || field("content-length").is_some_and(|length| length != b"0") {
        return Err(413);
    }
    let path = origin_form(request.path.unwrap_or_default());
    let target = match path.split('?').next().unwrap_or_default() {
        "/metrics" => {
            let accept = field("accept").and_then(|accept| std::str::from_utf8(accept).ok()).unwrap_or_default();
            Target::Metrics { is_open_metrics: prefers_open_metrics(accept) }
        }
        "/healthz" => Target::Health,
        "/readyz" => Target::Readiness,
        _ => return Err(404),
    };
    Ok(Request { target, is_head })
}

/// Returns the path of a request that a proxy was meant to get: `http://HOST/metrics`; RFC 9112, section 3.2.2.
fn origin_form(target: &str) -> &str {
    let scheme = target.get(..7).filter(|scheme| scheme.eq_ignore_ascii_case("http://"));
    match scheme {
        Some(_) => target[7..].find('/').map_or("/", |at| &target[7 + at..]),
        None => target,
    }
}

/// Returns whether OpenMetrics is named, and nothing else that we have is liked better.
fn prefers_open_metrics(accept: &str) -> bool {
    // Weights are thousandths.
    let (mut open, mut plain) = (0, 0);
    for range in accept.split(',') {
        let mut words = range.split(';').map(str::trim);
        let name = words.next().unwrap_or_default();
        let weight = words.find_map(|word| word.strip_prefix("q=")).map_or(1000, thousandths);
        match name {
            "application/openmetrics-text" => open = open.max(weight),
            "text/plain" | "text/*" | "*/*" => plain = plain.max(weight),
            _ => {}
        }
    }
    open > 0 && open >= plain
}

/// Reads a weight: `0` to `1` with at most three digits behind the point.
fn thousandths(weight: &str) -> u32 {
    let (whole, fraction) = weight.split_once('.').unwrap_or((weight, ""));
    let digits: String = fraction.chars().chain("000".chars()).take(3).collect();
    let thousandths = whole.parse::<u32>().ok().zip(digits.parse::<u32>().ok());
    thousandths.map_or(0, |(whole, fraction)| (whole.min(1) * 1000 + fraction).min(1000))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn get(path: &str, fields: &str) -> Option<Result<Request, u16>> {
        read(format!("GET {path} HTTP/1.1\r\nHost: x\r\n{fields}\r\n").as_bytes())
    }

    #[test]
    fn what_is_asked_for_is_understood() {
        let target = |path, fields| get(path, fields).expect("a whole head").map(|request| request.target);
        let plain = Target::Metrics { is_open_metrics: false };
        assert_eq!(target("/metrics", ""), Ok(plain));
        assert_eq!(target("/metrics?x=1", "Accept: */*\r\n"), Ok(plain));
        assert_eq!(target("/healthz", "content-length: 0\r\n"), Ok(Target::Health));
        assert_eq!(target("/readyz", ""), Ok(Target::Readiness));
        assert_eq!(target("http://10.0.0.7:9100/healthz?x", ""), Ok(Target::Health));
        assert_eq!(target("HTTP://x/metrics", ""), Ok(plain));
        assert_eq!(target("http://x", ""), Err(404));
        assert_eq!(read(b"HEAD /readyz HTTP/1.0\n\n"), Some(Ok(Request { target: Target::Readiness, is_head: true })));
    }

    #[test]
    fn what_is_wrong_is_refused() {
        for (head, expected) in [
            ("POST /metrics HTTP/1.1\r\n\r\n", 405),
            ("GET / HTTP/1.1\r\n\r\n", 404),
            ("GET /metrics/ HTTP/1.1\r\n\r\n", 404),
            ("GET /metrics\r\n\r\n", 400),
            ("\u{16}\u{3}\u{1}\r\n\r\n", 400),
            ("GET /metrics HTTP/1.1\r\nContent-Length: 5\r\n\r\n", 413),
            ("GET /metrics HTTP/1.1\r\nContent-Length: 0\r\ncontent-length: 0\r\n\r\n", 400),
            ("GET /metrics HTTP/1.1\r\nContent-Length: 0\r\nContent-Length: 5\r\n\r\n", 400),
            ("GET /metrics HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", 413),
        ] {
            assert_eq!(read(head.as_bytes()), Some(Err(expected)), "{head:?}");
        }
        let many: String = (0..=FIELDS_MAX).map(|number| format!("X-{number}: 1\r\n")).collect();
        assert_eq!(get("/metrics", &many), Some(Err(431)));
        assert_eq!(read(&[b'a'; HEAD_BYTES_MAX]), Some(Err(431)));
        assert_eq!(read(b"GET /metrics HTTP/1.1\r\nHost: x\r\n"), None);
    }

    #[test]
    fn the_format_is_negotiated() {
        let prometheus = "application/openmetrics-text;version=1.0.0;q=0.5,application/openmetrics-text;version=0.0.1;q=0.4,\
                          text/plain;version=0.0.4;q=0.3,*/*;q=0.2";
        for (accept, expected) in [
            (prometheus, true),
            ("application/openmetrics-text", true),
            ("application/openmetrics-text;q=0, text/plain", false),
            ("text/plain, application/openmetrics-text;q=0.9", false),
            ("text/html", false),
            ("", false),
        ] {
            assert_eq!(prefers_open_metrics(accept), expected, "{accept}");
        }
    }
}
