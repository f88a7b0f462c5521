//! Many patterns of three bytes, looked for at once with the processor's vectors.
//!
//! Each byte of a pattern is a class of bytes, and a class is known by its halves: a table for the lower four bits, one for
//! the upper, a bit of each for a pattern. So a class also has what combines the halves of two of its bytes; who asks looks
//! at what was found ("Teddy", as in Hyperscan and ripgrep).
//!
//! With AVX2, which is asked for when the program runs, or with NEON, which every aarch64 has; on other processors nothing is
//! found, and who asks reads every line. `unsafe` are the calls of what needs these features, and the reading of 16 or 32 bytes
//! from an array that has them.

#![allow(unsafe_code, reason = "what needs a feature of the processor may only be called when it is there")]

/// How many patterns there are: two times as many as a byte has bits.
pub(super) const PATTERNS: usize = 16;

/// How many bytes are compared in one step.
const STEP: usize = u32::BITS as usize;

/// How many bytes are looked at in one call: tables are loaded once for them.
pub(super) const WINDOW: usize = 128 * STEP;

/// The tables of 16 patterns: for each place in a pattern the lower and the upper halves, for eight patterns at a time.
#[derive(Debug)]
pub(super) struct Nibbles {
    lower: [[[u8; 16]; 3]; 2],
    upper: [[[u8; 16]; 3]; 2],
}

impl Nibbles {
    /// Makes the tables.
    #[must_use]
    pub(super) const fn new(patterns: &[[ByteClass; 3]; PATTERNS]) -> Self {
        let mut tables = Self { lower: [[[0; 16]; 3]; 2], upper: [[[0; 16]; 3]; 2] };
        let mut place = 0;
        while place < PATTERNS * 3 {
            let (pattern, at) = (place / 3, place % 3);
            let class = &patterns[pattern][at];
            let (half, bit) = (pattern / 8, 1 << (pattern % 8));
            let mut byte = 0;
            while byte < 128 {
                if class.has(byte) {
                    tables.lower[half][at][(byte & 15) as usize] |= bit;
                    tables.upper[half][at][(byte >> 4) as usize] |= bit;
                }
                byte += 1;
            }
            place += 1;
        }
        tables
    }
}

/// A set of ASCII bytes; a letter is there in both its cases, unless it is `exact`.
#[derive(Debug, Clone, Copy)]
pub(super) struct ByteClass(u128);

impl ByteClass {
    pub(super) const NONE: Self = Self(0);

    #[must_use]
    pub(super) const fn of(bytes: &[u8], exact: bool) -> Self {
        let (mut class, mut index) = (Self::NONE, 0);
        while index < bytes.len() {
            class = if exact { Self(class.0 | 1 << bytes[index]) } else { class.with(bytes[index]) };
            index += 1;
        }
        class
    }

    #[must_use]
    pub(super) const fn with(self, byte: u8) -> Self {
        let other = if byte.is_ascii_alphabetic() { byte ^ 0x20 } else { byte };
        Self(self.0 | 1 << byte | 1 << other)
    }

    #[must_use]
    pub(super) const fn has(&self, byte: u8) -> bool {
        byte < 128 && self.0 >> byte & 1 == 1
    }

    /// The same in this case only.
    #[must_use]
    pub(super) const fn with_exactly(self, byte: u8) -> Self {
        Self(self.0 | 1 << byte)
    }

    /// Returns how many of a thousand bytes of a log are taken for one of it: those that combine the halves of two of its bytes,
    /// too.
    #[must_use]
    pub(super) const fn reach(&self) -> u64 {
        let (mut lower, mut upper, mut byte) = (0_u16, 0_u16, 0);
        while byte < 128 {
            if self.has(byte) {
                lower |= 1 << (byte & 15);
                upper |= 1 << (byte >> 4);
            }
            byte += 1;
        }
        let mut reach = 0;
        while byte > 0 {
            byte -= 1;
            // Classes have both cases of a letter, of which the small ones count.
            if !byte.is_ascii_uppercase() && lower >> (byte & 15) & upper >> (byte >> 4) & 1 == 1 {
                reach += share(byte);
            }
        }
        reach
    }
}

/// How many of a thousand bytes each letter of the alphabet is, about, as in English.
const LETTER_SHARES: [u64; 26] =
    [60, 12, 27, 32, 95, 17, 15, 38, 56, 2, 6, 31, 20, 54, 58, 17, 1, 46, 49, 70, 21, 8, 14, 2, 15, 1];

/// Returns how many of a thousand bytes of a log are this one, about; a letter counts in either case.
pub(super) const fn share(byte: u8) -> u64 {
    match byte {
        b'a'..=b'z' => LETTER_SHARES[(byte - b'a') as usize],
        b'A'..=b'Z' => LETTER_SHARES[(byte - b'A') as usize],
        b' ' => 120,
        b'0'..=b'9' => 15,
        _ => 3,
    }
}

/// Returns whether this processor can do it.
#[must_use]
pub(super) fn is_supported() -> bool {
    #[cfg(target_arch = "x86_64")]
    return std::arch::is_x86_feature_detected!("avx2");
    #[cfg(not(target_arch = "x86_64"))]
    cfg!(all(target_arch = "aarch64", target_endian = "little"))
}

/// Where patterns begin in [`WINDOW`] bytes: a bit for each, the lowest of the first word is the first byte.
pub(super) type Hits = [u32; WINDOW / STEP];

/// Returns where patterns begin in the first [`WINDOW`] bytes of a text. What is behind them counts too: a pattern may reach
/// over their end. One that the end of the text cuts is none.
///
/// Nothing is found where it [is not supported](is_supported).
#[must_use]
pub(super) fn find(tables: &Nibbles, text: &[u8]) -> Hits {
    #[cfg(target_arch = "x86_64")]
    if is_supported() {
        // SAFETY: the processor has AVX2.
        return unsafe { avx2::find(tables, text) };
    }
    #[cfg(all(target_arch = "aarch64", target_endian = "little"))]
    // SAFETY: NEON is part of aarch64 as this program is built for it.
    return unsafe { neon::find(tables, text) };
    #[allow(unreachable_code, reason = "not reached where NEON always is")]
    {
        let _ = (tables, text);
        [0; WINDOW / STEP]
    }
}

/// Compares all steps of a window. `compare` returns which of the first 32 bytes begin a pattern.
///
/// It is part of its caller, and so built for the features that its caller has.
#[cfg(any(target_arch = "x86_64", all(target_arch = "aarch64", target_endian = "little")))]
#[inline(always)]
fn each_step(text: &[u8], compare: impl Fn(&[u8; STEP + 2]) -> u32) -> Hits {
    let mut hits = [0; WINDOW / STEP];
    for (hits, start) in hits.iter_mut().zip((0..text.len().saturating_sub(2)).step_by(STEP)) {
        let rest = &text[start..];
        *hits = if let Some(bytes) = rest.first_chunk() {
            compare(bytes)
        } else {
            // The end is too short for a step: NULs stand behind it, and a pattern that needs them is none.
            let mut last = [0; STEP + 2];
            last[..rest.len()].copy_from_slice(rest);
            compare(&last) & ((1 << (rest.len() - 2)) - 1)
        };
    }
    hits
}

#[cfg(target_arch = "x86_64")]
mod avx2 {
    use std::arch::x86_64::{
        __m256i, _mm_loadu_si128, _mm256_and_si256, _mm256_broadcastsi128_si256, _mm256_cmpeq_epi8, _mm256_loadu_si256,
        _mm256_movemask_epi8, _mm256_or_si256, _mm256_set1_epi8, _mm256_setzero_si256, _mm256_shuffle_epi8,
        _mm256_srli_epi16,
    };

    use crate::format::fast::vector::{Hits, Nibbles, STEP, each_step};

    /// The tables of eight patterns, lower and upper halves of each place.
    type Loaded = [[__m256i; 2]; 3];

    #[target_feature(enable = "avx2")]
    pub(super) fn find(tables: &Nibbles, text: &[u8]) -> Hits {
        let [some, more] = [0, 1].map(|half| load(&tables.lower[half], &tables.upper[half]));
        each_step(text, |bytes| compare(&some, &more, bytes))
    }

    /// Returns which of the first 32 bytes begin a pattern.
    #[target_feature(enable = "avx2")]
    #[inline]
    fn compare(some: &Loaded, more: &Loaded, bytes: &[u8; STEP + 2]) -> u32 {
        let mask = _mm256_set1_epi8(15);
        let halves = |place: usize| {
            // SAFETY: 32 bytes are read, from 0, 1 or 2 on, and there are 34.
            let bytes = unsafe { _mm256_loadu_si256(bytes.as_ptr().add(place).cast()) };
            [_mm256_and_si256(bytes, mask), _mm256_and_si256(_mm256_srli_epi16(bytes, 4), mask)]
        };
        let pass = |[low, high]: [__m256i; 2], [lower, upper]: [__m256i; 2]| {
            _mm256_and_si256(_mm256_shuffle_epi8(low, lower), _mm256_shuffle_epi8(high, upper))
        };
        // Written out: a loop would not be unrolled where size is what counts.
        let [first, second, third] = [halves(0), halves(1), halves(2)];
        let passing =
            _mm256_and_si256(_mm256_and_si256(pass(some[0], first), pass(some[1], second)), pass(some[2], third));
        let also =
            _mm256_and_si256(_mm256_and_si256(pass(more[0], first), pass(more[1], second)), pass(more[2], third));
        let none = _mm256_cmpeq_epi8(_mm256_or_si256(passing, also), _mm256_setzero_si256());
        !_mm256_movemask_epi8(none).cast_unsigned()
    }

    #[target_feature(enable = "avx2")]
    #[inline]
    fn load(lower: &[[u8; 16]; 3], upper: &[[u8; 16]; 3]) -> Loaded {
        // SAFETY: 16 bytes are read, and there are 16.
        let one = |table: &[u8; 16]| _mm256_broadcastsi128_si256(unsafe { _mm_loadu_si128(table.as_ptr().cast()) });
        [0, 1, 2].map(|place| [one(&lower[place]), one(&upper[place])])
    }
}

#[cfg(all(target_arch = "aarch64", target_endian = "little"))]
mod neon {
    use std::arch::aarch64::{
        uint8x16_t, vandq_u8, vdupq_n_u8, vgetq_lane_u32, vld1q_u8, vorrq_u8, vpaddq_u8, vqtbl1q_u8,
        vreinterpretq_u32_u8, vshrq_n_u8, vtstq_u8,
    };

    use crate::format::fast::vector::{Hits, Nibbles, STEP, each_step};

    /// The tables of eight patterns, lower and upper halves of each place.
    type Loaded = [[uint8x16_t; 2]; 3];

    /// The bit of each byte of eight.
    const BITS: [u8; 16] = [1, 2, 4, 8, 16, 32, 64, 128, 1, 2, 4, 8, 16, 32, 64, 128];

    #[target_feature(enable = "neon")]
    pub(super) fn find(tables: &Nibbles, text: &[u8]) -> Hits {
        let both = [0, 1].map(|half| load(&tables.lower[half], &tables.upper[half]));
        // SAFETY: 16 bytes are read, and there are 16.
        let bits = unsafe { vld1q_u8(BITS.as_ptr()) };
        each_step(text, |bytes| {
            let [first, second] = [0, 16].map(|from| vandq_u8(compare(&both, bytes, from), bits));
            // Neighbours are added three times: of each eight bytes one is left, with a bit for each.
            let pairs = vpaddq_u8(first, second);
            let fours = vpaddq_u8(pairs, pairs);
            vgetq_lane_u32::<0>(vreinterpretq_u32_u8(vpaddq_u8(fours, fours)))
        })
    }

    /// Returns which of the 16 bytes from 0 or 16 on begin a pattern: all bits of those are set.
    #[target_feature(enable = "neon")]
    #[inline]
    fn compare(both: &[Loaded; 2], bytes: &[u8; STEP + 2], from: usize) -> uint8x16_t {
        let halves = |place: usize| {
            // SAFETY: 16 bytes are read, from 18 on at most, and there are 34.
            let bytes = unsafe { vld1q_u8(bytes.as_ptr().add(from + place)) };
            [vandq_u8(bytes, vdupq_n_u8(15)), vshrq_n_u8::<4>(bytes)]
        };
        let pass = |[low, high]: [uint8x16_t; 2], [lower, upper]: [uint8x16_t; 2]| {
            vandq_u8(vqtbl1q_u8(lower, low), vqtbl1q_u8(upper, high))
        };
        let [first, second, third] = [halves(0), halves(1), halves(2)];
        let [some, more] = both;
        let passing = vandq_u8(vandq_u8(pass(first, some[0]), pass(second, some[1])), pass(third, some[2]));
        let also = vandq_u8(vandq_u8(pass(first, more[0]), pass(second, more[1])), pass(third, more[2]));
        let any = vorrq_u8(passing, also);
        vtstq_u8(any, any)
    }

    #[target_feature(enable = "neon")]
    #[inline]
    fn load(lower: &[[u8; 16]; 3], upper: &[[u8; 16]; 3]) -> Loaded {
        // SAFETY: 16 bytes are read, and there are 16.
        let one = |table: &[u8; 16]| unsafe { vld1q_u8(table.as_ptr()) };
        [0, 1, 2].map(|place| [one(&lower[place]), one(&upper[place])])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn patterns() -> [[ByteClass; 3]; PATTERNS] {
        let mut patterns = [[ByteClass::NONE; 3]; PATTERNS];
        patterns[0] = [b"e", b"r", b"r"].map(|class| ByteClass::of(class, false));
        patterns[9] = [&b"\""[..], b":", b"0123456789"].map(|class| ByteClass::of(class, false));
        patterns
    }

    /// Returns where patterns begin.
    fn all(text: &[u8]) -> Vec<usize> {
        let tables = Nibbles::new(&patterns());
        let mut found = Vec::new();
        for start in (0..text.len()).step_by(WINDOW) {
            let hits = find(&tables, &text[start..]);
            found.extend((0..WINDOW).filter(|at| hits[at / STEP] >> (at % STEP) & 1 == 1).map(|at| start + at));
        }
        found
    }

    #[test]
    fn patterns_are_found_wherever_they_stand() {
        if !is_supported() {
            return;
        }
        for length in [0, 2, 3, 31, 32, 33, 34, 35, 63, 64, 65, 66, 67, 100, WINDOW, WINDOW + 2, WINDOW + 3] {
            for at in 0..length.max(2) - 2 {
                let mut text = vec![b'.'; length];
                text[at..at + 3].copy_from_slice(if at % 2 == 0 { b"ERr" } else { b"\":7" });
                assert_eq!(all(&text), [at], "{length} {at}");
            }
            assert!(all(&vec![b'r'; length]).is_empty());
        }
    }

    #[test]
    fn a_pattern_that_the_end_cuts_is_none() {
        assert!(all(b"err".get(..2).expect("two")).is_empty());
        assert!(all(b"....................................er").is_empty());
    }
}
