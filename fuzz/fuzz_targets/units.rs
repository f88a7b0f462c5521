//! Sizes and durations: no panic, messages of one line, numbers within their bounds.
#![no_main]

use std::time::Duration;

use libfuzzer_sys::fuzz_target;
use sidetail::sys::units::{duration, quantity};

fuzz_target!(|text: &str| {
    match quantity(text) {
        Ok(bytes) => {
            if text.bytes().all(|byte| byte.is_ascii_digit()) {
                assert_eq!(text.parse(), Ok(bytes));
            }
            // Whatever was understood can be written in full.
            assert_eq!(quantity(&bytes.to_string()), Ok(bytes));
        }
        Err(why) => assert!(!why.is_empty() && !why.contains('\n'), "{why:?}"),
    }
    match duration(text) {
        Ok(time) => assert!(time <= Duration::from_secs(366 * 24 * 3600)),
        Err(why) => assert!(!why.is_empty() && !why.contains('\n'), "{why:?}"),
    }
});
