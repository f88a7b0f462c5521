//! Follows the files that it is given with linemux, from their beginning, and writes their lines to stdout.
//!
//! What one would write who takes linemux for the job of sidetail; `bench/run` measures it beside sidetail.

use std::future::{Future, poll_fn};
use std::io::{self, BufWriter, Write};
use std::pin::pin;
use std::task::Poll;

use linemux::{Line, MuxedLines};

#[tokio::main(flavor = "current_thread")]
async fn main() -> io::Result<()> {
    let mut lines = MuxedLines::new()?;
    for path in std::env::args_os().skip(1) {
        lines.add_file_from_start(path).await?;
    }
    let mut stdout = BufWriter::with_capacity(64 * 1024, io::stdout().lock());
    loop {
        match next(&mut lines, &mut stdout).await {
            Ok(Some(line)) => writeln!(stdout, "{}", line.line())?,
            Ok(None) => return stdout.flush(),
            // A line that is not UTF-8 is lost; the others need not be.
            Err(error) if error.kind() == io::ErrorKind::InvalidData => {}
            Err(error) => return Err(error),
        }
    }
}

/// Returns the next line; whenever there is none yet, what was written before is flushed.
async fn next(lines: &mut MuxedLines, stdout: &mut impl Write) -> io::Result<Option<Line>> {
    let mut next = pin!(lines.next_line());
    poll_fn(|context| match next.as_mut().poll(context) {
        Poll::Pending => stdout.flush().map_or_else(|error| Poll::Ready(Err(error)), |()| Poll::Pending),
        ready => ready,
    })
    .await
}
