//! What of a text could mislead who looks at it: it breaks lines, steers a terminal, or turns what follows around.

/// Returns whether a character is to be escaped where people see it: controls (C0, DEL, C1), the separators of lines and
/// paragraphs, and what changes the direction of text.
///
/// Source: Unicode Standard Annex 9, section 2; <https://trojansource.codes>
#[must_use]
pub(crate) fn is_misleading(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}'
        )
}

/// Returns the text of JSON with what is misleading in it as `\\u` escapes, which mean the same: within its strings, because
/// nothing else of it is.
#[must_use]
pub(crate) fn escaped_json(json: &str) -> String {
    let mut escaped = String::with_capacity(json.len());
    for character in json.chars() {
        // The newlines between its parts are no part of a string.
        if is_misleading(character) && !character.is_ascii() {
            for unit in character.encode_utf16(&mut [0; 2]) {
                escaped.push_str(&format!("\\u{unit:04x}"));
            }
        } else {
            escaped.push(character);
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_breaks_lines_or_turns_text_around_is_misleading() {
        for character in ['\n', '\x1b', '\x7f', '\u{85}', '\u{9b}', '\u{2028}', '\u{2029}', '\u{202e}', '\u{2067}'] {
            assert!(is_misleading(character), "{character:?}");
        }
        for character in ['a', ' ', ']', 'é', '日', 'ש', 'ع', '\u{fffd}'] {
            assert!(!is_misleading(character), "{character:?}");
        }
    }

    #[test]
    fn escaped_json_means_the_same() {
        let value = serde_json::json!({ "file": "a\u{9b}\u{202e}\u{2028}é\n" });
        let escaped = escaped_json(&format!("{value:#}"));
        assert!(escaped.contains(r"a\u009b\u202e\u2028é\n"), "{escaped}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&escaped).expect("JSON"), value);
    }
}
