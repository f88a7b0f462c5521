//! A small deterministic generator (splitmix64): the same seed gives the same round on every machine.

/// A source of numbers that depends on its seed only.
pub struct Prng(u64);

impl Prng {
    /// A generator whose whole future follows from `seed`.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next 64 bits.
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// A number below `bound`, which is not 0.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    /// True once in `n` times.
    pub fn one_in(&mut self, n: u64) -> bool {
        self.below(n) == 0
    }

    /// A number from `low` to `high`, small ones as often as large ones: each power of two is equally likely.
    pub fn spread(&mut self, low: u64, high: u64) -> u64 {
        if low >= high {
            return low;
        }
        let bits = 64 - (high - low).leading_zeros();
        let cap = 1_u64 << self.below(u64::from(bits) + 1).min(62);
        low + self.below(cap).min(high - low)
    }
}
