//! Writes a slot's text: numbers and hexadecimal digits into a buffer of a fixed size, without a formatter, because it is done
//! after each read. What does not fit is left out, and [`Pen::is_out`] says so.

/// Where a text is written to, from the front on.
#[derive(Debug)]
pub(super) struct Pen<'a> {
    rest: &'a mut [u8],
    is_out: bool,
}

/// The digits of all numbers below 100.
const PAIRS: [[u8; 2]; 100] = {
    let mut pairs = [[0; 2]; 100];
    let mut number = 0;
    while number < 100 {
        pairs[number as usize] = [b'0' + number / 10, b'0' + number % 10];
        number += 1;
    }
    pairs
};

/// How many decimal digits the largest number has.
const DECIMAL_MAX: usize = 20;

impl<'a> Pen<'a> {
    pub(super) fn new(rest: &'a mut [u8]) -> Self {
        Self { rest, is_out: false }
    }

    /// Returns whether something did not fit.
    pub(super) fn is_out(&self) -> bool {
        self.is_out
    }

    /// Returns how much still fits, in bytes.
    pub(super) fn room(&self) -> usize {
        self.rest.len()
    }

    /// Writes these bytes, all or none of them.
    #[inline]
    pub(super) fn text(&mut self, text: &[u8]) {
        match std::mem::take(&mut self.rest).split_at_mut_checked(text.len()) {
            Some((to, rest)) => {
                to.copy_from_slice(text);
                self.rest = rest;
            }
            None => self.is_out = true,
        }
    }

    /// Writes a number in decimal digits.
    pub(super) fn number(&mut self, mut number: u64) {
        let (mut digits, mut at) = ([0; DECIMAL_MAX], DECIMAL_MAX);
        while number >= 100 {
            at -= 2;
            digits[at..at + 2].copy_from_slice(&PAIRS[(number % 100) as usize]);
            number /= 100;
        }
        let [ten, one] = PAIRS[number as usize];
        at -= 1;
        digits[at] = one;
        if number >= 10 {
            at -= 1;
            digits[at] = ten;
        }
        self.text(&digits[at..]);
    }

    /// Writes a number behind what names it.
    pub(super) fn named(&mut self, name: &[u8], number: u64) {
        self.text(name);
        self.number(number);
    }

    /// Writes a number that may be below zero.
    pub(super) fn signed(&mut self, number: i64) {
        if number < 0 {
            self.text(b"-");
        }
        self.number(number.unsigned_abs());
    }

    /// Writes all sixteen hexadecimal digits of a number.
    pub(super) fn hex(&mut self, number: u64) {
        self.text(&hex_of(number));
    }

    /// Writes what stands between the quotes of a JSON string.
    pub(super) fn escaped(&mut self, text: &str) {
        for byte in text.bytes() {
            match byte {
                b'"' | b'\\' => self.text(&[b'\\', byte]),
                ..b' ' => {
                    let [ten, one] = eight_digits(u32::from(byte)).to_be_bytes()[6..] else { continue };
                    self.text(&[b'\\', b'u', b'0', b'0', ten, one]);
                }
                _ => self.text(&[byte]),
            }
        }
    }
}

/// Returns the sixteen hexadecimal digits of a number.
pub(super) fn hex_of(number: u64) -> [u8; 16] {
    let (high, low) = (eight_digits((number >> 32) as u32), eight_digits(number as u32));
    (u128::from(high) << 64 | u128::from(low)).to_be_bytes()
}

/// Returns the number that [`hex_of`] made digits of.
pub(super) fn number_of(digits: &[u8]) -> Option<u64> {
    let is_ours = digits.len() == 16 && digits.iter().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f'));
    u64::from_str_radix(std::str::from_utf8(digits).ok().filter(|_| is_ours)?, 16).ok()
}

/// Returns eight hexadecimal digits, the first in the highest byte: the half bytes are moved apart, and all become digits at one
/// time.
fn eight_digits(number: u32) -> u64 {
    let spread = u64::from(number);
    let spread = (spread << 16 | spread) & 0x0000_ffff_0000_ffff;
    let spread = (spread << 8 | spread) & 0x00ff_00ff_00ff_00ff;
    let spread = (spread << 4 | spread) & 0x0f0f_0f0f_0f0f_0f0f;
    let is_letter = ((spread + 0x0606_0606_0606_0606) >> 4) & 0x0101_0101_0101_0101;
    spread + 0x3030_3030_3030_3030 + is_letter * u64::from(b'a' - b'9' - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(write: impl FnOnce(&mut Pen<'_>)) -> String {
        let mut bytes = [b' '; 64];
        write(&mut Pen::new(&mut bytes));
        String::from_utf8_lossy(&bytes).trim_end().to_owned()
    }

    #[test]
    fn numbers_are_written_as_everybody_writes_them() {
        let near_powers = (0..64).flat_map(|bit| [(1_u64 << bit) - 1, 1 << bit, (1 << bit) + 1]);
        let decimals = (1..=19).flat_map(|digits| [10_u64.pow(digits) - 1, 10_u64.pow(digits)]);
        for number in near_powers.chain(decimals).chain([u64::MAX]) {
            assert_eq!(written(|pen| pen.number(number)), number.to_string());
            assert_eq!(written(|pen| pen.hex(number)), format!("{number:016x}"));
            assert_eq!(number_of(&hex_of(number)), Some(number));
            let signed = number as i64;
            assert_eq!(written(|pen| pen.signed(signed)), signed.to_string());
        }
        for wrong in ["", "0123", "+123456789abcdef", "0123456789ABCDEF", "00000000000000000"] {
            assert_eq!(number_of(wrong.as_bytes()), None, "{wrong:?}");
        }
    }

    #[test]
    fn strings_are_escaped_as_json_has_it() {
        for text in ["app.log", "a\"b\\c", "\u{0}\u{1}\u{1f}\n", "größe\u{7f}\u{2028}"] {
            let json = written(|pen| {
                pen.text(b"\"");
                pen.escaped(text);
                pen.text(b"\"");
            });
            assert_eq!(serde_json::from_str::<String>(&json).expect("JSON"), text);
        }
    }

    #[test]
    fn what_does_not_fit_is_left_out_and_so_is_what_follows() {
        let mut bytes = [b' '; 5];
        let mut pen = Pen::new(&mut bytes);
        pen.text(b"abc");
        assert_eq!((pen.room(), pen.is_out()), (2, false));
        pen.number(123);
        pen.text(b"d");
        assert!(pen.is_out());
        assert_eq!(&bytes, b"abc  ");
    }
}
