//! What stands around a value that is not part of it: quotes, brackets, a comment, the variable's name. Pure.
//!
//! A pod's spec needs none of them where a shell, an env file or a template does.

use super::misnamed::PREFIX;

/// How many layers are taken off: `["json"],` has three.
const LAYERS_MAX: usize = 4;

/// What templates and serializers write for nothing.
const NOTHING: [&str; 8] = ["null", "nil", "<nil>", "<no value>", "undefined", "default", "~", "[]"];

/// Returns what is around the value of the variable of this name, if it would be valid without.
pub(super) fn inner(value: &str, name: &str, is_valid: impl Fn(&str) -> bool) -> Option<String> {
    let mut rest = value;
    let mut first = None;
    for _ in 0..LAYERS_MAX {
        let (what, inside) = outer_layer(rest, name)?;
        first.get_or_insert(what);
        rest = inside;
        if !rest.is_empty() && is_valid(rest) {
            return first.map(|what| format!("{what} part of the value; did you mean {}?", rest.escape_debug()));
        }
    }
    None
}

/// Returns what the outermost layer is, with its verb, and what is inside.
fn outer_layer<'a>(value: &'a str, name: &str) -> Option<(&'static str, &'a str)> {
    let visible = value.trim_matches(|c: char| c.is_whitespace() || matches!(c, '\u{200b}' | '\u{feff}'));
    if visible.len() < value.len() {
        return Some(("invisible characters are", visible));
    }
    let without_export = value.strip_prefix("export ").unwrap_or(value);
    let without_prefix = without_export.strip_prefix(PREFIX).unwrap_or(without_export);
    if let Some(inside) = without_prefix.strip_prefix(name).and_then(|rest| rest.trim_start().strip_prefix('=')) {
        return Some(("the variable's name is", inside.trim_start()));
    }
    for (open, close) in [('"', '"'), ('\'', '\''), ('`', '`'), ('\u{201c}', '\u{201d}'), ('\u{2018}', '\u{2019}')] {
        if let Some(inside) = value.strip_prefix(open).and_then(|rest| rest.strip_suffix(close)) {
            return Some(("the quotes are", inside));
        }
    }
    for (open, close) in [('[', ']'), ('{', '}'), ('(', ')'), ('<', '>')] {
        if let Some(inside) = value.strip_prefix(open).and_then(|rest| rest.strip_suffix(close)) {
            return Some(("the brackets are", inside));
        }
    }
    if let Some((inside, _)) = value.split_once(" #") {
        return Some(("the comment is", inside.trim_end()));
    }
    if let Some(inside) = value.strip_prefix("- ").or_else(|| value.strip_prefix('=')) {
        return Some(("the sign at the beginning is", inside.trim_start()));
    }
    let inside = value.strip_suffix([',', ';', '.'])?;
    Some(("the sign at the end is", inside.trim_end()))
}

/// Returns what to say of a value that nothing was filled in for, or that stands for none.
pub(super) fn not_filled_in(value: &str) -> Option<String> {
    if NOTHING.iter().any(|word| value.eq_ignore_ascii_case(word)) {
        return Some("not a value; for the default leave the variable out".to_owned());
    }
    if value.contains("$(") || value.contains("${") {
        let way_out = "a pod's spec fills in $(NAME) if that variable stands before this one";
        return Some(format!("a variable in it was not filled in; {way_out}"));
    }
    has_template(value).then(|| "a template in it was not filled in; write the value itself".to_owned())
}

/// Returns whether a template is in it, `{{ .Values.name }}` or `<%= name %>`, and not alternatives within alternatives of a glob.
pub(super) fn has_template(value: &str) -> bool {
    let inside = value.split_once("{{").and_then(|(_, rest)| rest.split_once('}'));
    value.contains("<%") || inside.is_some_and(|(inside, _)| !inside.contains(','))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(value: &str, expected: &str) {
        let is_valid = |inner: &str| ["json", "5Mi", "level>=error"].contains(&inner);
        let found = inner(value, "OUTPUT", is_valid).or_else(|| not_filled_in(value)).unwrap_or_default();
        assert!(found.contains(expected) && found.is_empty() == expected.is_empty(), "{value}: {found}");
    }

    #[test]
    fn what_is_around_a_value_is_named() {
        for (value, expected) in [
            ("\"json\"", "the quotes are part of the value; did you mean json?"),
            ("'json'", "the quotes are"),
            ("`json`", "the quotes are"),
            ("\u{201c}json\u{201d}", "the quotes are"),
            ("[json]", "the brackets are part of the value; did you mean json?"),
            ("[\"json\"]", "the brackets are"),
            ("<json>", "the brackets are"),
            ("json # of objects", "the comment is part of the value; did you mean json?"),
            ("'json' # of objects", "did you mean json?"),
            ("level>=error #x", "did you mean level>=error?"),
            ("OUTPUT=json", "the variable's name is part of the value; did you mean json?"),
            ("SIDETAIL_OUTPUT = json", "the variable's name is"),
            ("export SIDETAIL_OUTPUT='json'", "did you mean json?"),
            ("5Mi,", "the sign at the end is part of the value; did you mean 5Mi?"),
            ("\"5Mi\",", "did you mean 5Mi?"),
            ("- json", "the sign at the beginning is"),
            ("=json", "the sign at the beginning is"),
            ("5Mi\u{a0}", "invisible characters are part of the value; did you mean 5Mi?"),
            ("\u{feff}json", "invisible characters are"),
        ] {
            check(value, expected);
        }
    }

    #[test]
    fn what_was_not_filled_in_is_named() {
        check("<no value>", "for the default leave the variable out");
        check("null", "for the default leave the variable out");
        check("{{ .Values.output }}", "a template in it was not filled in");
        check("$(OUTPUT)", "$(NAME) if that variable stands before this one");
        check("${OUTPUT:-json}", "was not filled in");
    }

    #[test]
    fn what_is_wrong_inside_too_is_left_to_others() {
        for value in ["\"xml\"", "xml", "[[[[[json]]]]]", "'", "", "\"\"", "#json", "json#"] {
            check(value, "");
        }
        assert_eq!(inner("\"\"", "STDERR", |_| true), None, "an empty value is no advice");
    }
}
