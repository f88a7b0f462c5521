//! A terminal: what a program shows there, and what a person types.

use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::process::Stdio;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};

/// A pseudo-terminal, which is read as long as this lives.
pub struct Terminal {
    keys: File,
    screen: File,
    shown: Arc<Mutex<Vec<u8>>>,
}

impl Terminal {
    pub fn open() -> Self {
        let controller = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).expect("a pseudo-terminal");
        grantpt(&controller).and_then(|()| unlockpt(&controller)).expect("its other side");
        let name = ptsname(&controller, Vec::new()).expect("its name").into_string().expect("ASCII");
        let screen = OpenOptions::new().read(true).write(true).open(name).expect("the terminal");
        let keys = File::from(controller);
        let (mut output, shown) = (keys.try_clone().expect("a second descriptor"), Arc::default());
        let collected: Arc<Mutex<Vec<u8>>> = Arc::clone(&shown);
        thread::spawn(move || {
            let mut bytes = [0; 4096];
            while let Ok(read @ 1..) = output.read(&mut bytes) {
                collected.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(&bytes[..read]);
            }
        });
        Self { keys, screen, shown }
    }

    /// A stream of a program that leads to it.
    pub fn stdio(&self) -> Stdio {
        self.screen.try_clone().expect("a descriptor").into()
    }

    /// Makes it so many columns wide.
    pub fn resize(&self, columns: u16) {
        let size = Winsize { ws_row: 40, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
        tcsetwinsize(&self.screen, size).expect("a terminal");
    }

    /// Types this; `\x04` is Ctrl-D.
    pub fn press(&mut self, keys: &str) {
        self.keys.write_all(keys.as_bytes()).expect("typed");
    }

    /// What it shows, what was typed too, with newlines as they were written.
    pub fn text(&self) -> String {
        let bytes = self.shown.lock().unwrap_or_else(PoisonError::into_inner);
        String::from_utf8_lossy(&bytes).replace("\r\n", "\n")
    }
}
