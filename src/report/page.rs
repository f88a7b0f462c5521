//! The page at `/metrics`: families of samples, in the OpenMetrics text format or in Prometheus' own.
//!
//! prometheus-client writes OpenMetrics; Prometheus' older text format is the same but for the names of counters and the lines
//! that it does not know.
//!
//! Source: <https://prometheus.io/docs/specs/om/open_metrics_spec/>,
//! <https://prometheus.io/docs/instrumenting/exposition_formats/>

use std::fmt;
use std::time::Duration;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric, MetricEncoder, text};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::{self, Registry};

/// What a sample is counted in, if it is no plain number; the name ends with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unit {
    /// Plain numbers.
    Plain,
    /// Bytes.
    Bytes,
    /// Seconds.
    Seconds,
}

impl Unit {
    fn name(self) -> Option<&'static registry::Unit> {
        match self {
            Self::Plain => None,
            Self::Bytes => Some(&registry::Unit::Bytes),
            Self::Seconds => Some(&registry::Unit::Seconds),
        }
    }
}

/// The value of a sample.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Value {
    /// A count.
    Whole(u64),
    /// What may be below zero.
    Signed(i64),
    /// A time.
    Real(f64),
}

impl From<u64> for Value {
    fn from(value: u64) -> Self {
        Self::Whole(value)
    }
}

impl From<Duration> for Value {
    fn from(value: Duration) -> Self {
        Self::Real(value.as_secs_f64())
    }
}

type Labels = Vec<(&'static str, String)>;

/// What the samples of a family are.
#[derive(Debug)]
pub(crate) struct Description {
    /// Whether it only grows; then its name ends with `_total`.
    pub is_counter: bool,
    /// Its name, without that and without its unit.
    pub name: &'static str,
    /// What it is counted in.
    pub unit: Unit,
    /// What it is, in a sentence.
    pub help: &'static str,
}

/// The families with their samples.
#[derive(Default)]
pub(crate) struct Page(Vec<(&'static Description, Vec<(Labels, Value)>)>);

/// Asked for by prometheus-client, and never shown.
impl fmt::Debug for Page {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Page")
    }
}

impl Page {
    /// Begins a family.
    pub(crate) fn begin(&mut self, family: &'static Description) {
        self.0.push((family, Vec::new()));
    }

    /// Adds the one sample of the family that was begun last.
    pub(crate) fn add(&mut self, value: impl Into<Value>) {
        self.push(&[], value.into());
    }

    /// Adds a sample with labels, the values of which may be any text.
    pub(crate) fn sample(&mut self, labels: &[(&'static str, &str)], value: impl Into<Value>) {
        self.push(labels, value.into());
    }

    fn push(&mut self, labels: &[(&'static str, &str)], value: Value) {
        if let Some((_, samples)) = self.0.last_mut() {
            let labels = labels.iter().map(|(name, value)| (*name, escaped(value))).collect();
            samples.push((labels, value));
        }
    }

    /// Returns the page in the OpenMetrics text format, version 1.0.0.
    #[must_use]
    pub(crate) fn open_metrics(self) -> String {
        let mut registry = Registry::default();
        registry.register_collector(Box::new(self));
        let mut page = String::new();
        text::encode(&mut page, &registry).expect("a string accepts everything");
        page
    }

    /// Returns it in Prometheus' text format, version 0.0.4.
    #[must_use]
    pub(crate) fn plain(self) -> String {
        let page = self.open_metrics();
        let mut plain = String::with_capacity(page.len());
        let mut help = "";
        for line in page.lines() {
            let is_counter = line.starts_with("# TYPE ") && line.ends_with(" counter");
            if line.starts_with("# HELP ") {
                // Its name depends on the type, which comes next.
                help = line;
            } else if line.starts_with("# TYPE ") {
                for line in [help, line] {
                    push_named(&mut plain, line, if is_counter { "_total" } else { "" });
                }
            } else if !line.starts_with('#') {
                plain.push_str(line);
                plain.push('\n');
            }
        }
        plain
    }
}

/// Adds a line of which the third word is a name, with an ending for that.
fn push_named(page: &mut String, line: &str, ending: &str) {
    let mut words = line.splitn(4, ' ');
    for (index, word) in words.by_ref().enumerate() {
        page.push_str(if index == 0 { "" } else { " " });
        page.push_str(word);
        page.push_str(if index == 2 { ending } else { "" });
    }
    page.push('\n');
}

/// Returns a label's value as it stands between quotation marks; prometheus-client leaves that to others.
fn escaped(value: &str) -> String {
    let mut escaped = String::with_capacity(value.len());
    for character in value.chars() {
        match character {
            '\\' => escaped.push_str("\\\\"),
            '"' => escaped.push_str("\\\""),
            '\n' => escaped.push_str("\\n"),
            other => escaped.push(other),
        }
    }
    escaped
}

impl Collector for Page {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        for (Description { is_counter, name, unit, help }, samples) in &self.0 {
            let kind = if *is_counter { MetricType::Counter } else { MetricType::Gauge };
            let mut family = encoder.encode_descriptor(name, help, unit.name(), kind)?;
            for (labels, value) in samples {
                if labels.is_empty() {
                    encode(*value, *is_counter, family)?;
                    break;
                }
                encode(*value, *is_counter, family.encode_family(&labels.as_slice())?)?;
            }
        }
        Ok(())
    }
}

/// Adds the value of a sample; counters are never below zero.
fn encode(value: Value, is_counter: bool, sample: MetricEncoder<'_>) -> fmt::Result {
    match (value, is_counter) {
        (Value::Whole(value), true) => ConstCounter::new(value).encode(sample),
        (Value::Real(value), true) => ConstCounter::new(value).encode(sample),
        (Value::Whole(value), false) => ConstGauge::new(i64::try_from(value).unwrap_or(i64::MAX)).encode(sample),
        (Value::Signed(value), _) => ConstGauge::new(value).encode(sample),
        (Value::Real(value), false) => ConstGauge::new(value).encode(sample),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn description(is_counter: bool, name: &'static str, unit: Unit, help: &'static str) -> Description {
        Description { is_counter, name, unit, help }
    }

    fn page() -> Page {
        static FAMILIES: [Description; 3] = [
            description(true, "a_read", Unit::Bytes, "What was read."),
            description(false, "a_lag", Unit::Seconds, "How late."),
            description(false, "a_rest", Unit::Plain, "Less than nothing."),
        ];
        let mut page = Page::default();
        page.begin(&FAMILIES[0]);
        page.sample(&[("file", "x\"\\\ny")], 7);
        page.begin(&FAMILIES[1]);
        page.add(Value::Real(1.5));
        page.begin(&FAMILIES[2]);
        page.add(Value::Signed(-2));
        page
    }

    #[test]
    fn open_metrics_has_units_and_an_end() {
        let expected = "# HELP a_read_bytes What was read.\n# TYPE a_read_bytes counter\n# UNIT a_read_bytes bytes\n\
                        a_read_bytes_total{file=\"x\\\"\\\\\\ny\"} 7\n\
                        # HELP a_lag_seconds How late.\n# TYPE a_lag_seconds gauge\n# UNIT a_lag_seconds seconds\n\
                        a_lag_seconds 1.5\n\
                        # HELP a_rest Less than nothing.\n# TYPE a_rest gauge\na_rest -2\n# EOF\n";
        assert_eq!(page().open_metrics(), expected);
    }

    #[test]
    fn the_plain_format_names_counters_as_their_samples() {
        let expected = "# HELP a_read_bytes_total What was read.\n# TYPE a_read_bytes_total counter\n\
                        a_read_bytes_total{file=\"x\\\"\\\\\\ny\"} 7\n\
                        # HELP a_lag_seconds How late.\n# TYPE a_lag_seconds gauge\na_lag_seconds 1.5\n\
                        # HELP a_rest Less than nothing.\n# TYPE a_rest gauge\na_rest -2\n";
        assert_eq!(page().plain(), expected);
    }
}
