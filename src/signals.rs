//! SIGTERM and SIGINT: the wish to end, as a future.
//!
//! Their handlers write into a pipe that the loop watches, so they work for process 1 of a container as for any other.

use std::io;
use std::os::unix::net::UnixStream;

use signal_hook::consts::{SIGINT, SIGTERM};

/// The wish to end, once the signals' handlers are in place.
#[derive(Debug)]
pub struct Termination {
    pipe: UnixStream,
}

impl Termination {
    /// Puts the handlers in place: from here on the signals no longer end the process by themselves.
    ///
    /// # Errors
    /// Those of socketpair(2) and sigaction(2): no descriptors are left.
    pub fn install() -> io::Result<Self> {
        let (pipe, write_end) = UnixStream::pair()?;
        for signal in [SIGTERM, SIGINT] {
            signal_hook::low_level::pipe::register(signal, write_end.try_clone()?)?;
        }
        pipe.set_nonblocking(true)?;
        Ok(Self { pipe })
    }

    /// Becomes ready at the first signal, also one that came before the call. Never does if the loop cannot watch the pipe.
    pub async fn requested(self) {
        if let Ok(pipe) = tokio::net::UnixStream::from_std(self.pipe) {
            // Readable or broken, it is time to end.
            let _ = pipe.readable().await;
        }
    }
}
