//! Names of rotated files: no panic, and every earlier name is one that the name can have come from.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sidetail::paths::siblings::earlier_names;

fuzz_target!(|name: &[u8]| {
    // NAME_MAX, limits.h.
    let name = &name[..name.len().min(255)];
    let found = earlier_names(name);
    assert!(found.len() <= 2 * name.len());
    for earlier in found {
        assert!(!earlier.is_empty() && earlier.len() < name.len(), "{earlier:?}");
        let same = name.iter().zip(&earlier).take_while(|(a, b)| a == b).count();
        assert!(same > 0 && name.ends_with(&earlier[same..]), "{earlier:?} of {name:?}");
    }
});
