//! The story: what happens to logs in a pod, one scene after the other, and at the end what came of it.

use std::process::ExitCode;
use std::time::Duration;

use rustix::process::Signal;

use super::application::Application;
use super::scratch::Scratch;
use super::screen::{Curtain, Screen, Voice};
use super::show::Show;
use crate::commands::exit::{EXIT_OUTPUT, EXIT_SYSTEM, EXIT_WARNINGS, cannot_print, cannot_start, fail};

/// How long the story takes if nobody says so.
const TIME: Duration = Duration::from_secs(30);

/// How many beats it has: its pauses, and the flood.
const BEATS: u32 = 60;

/// How many beats the flood takes.
const FLOOD_BEATS: u32 = 20;

/// How much the flood is: many times what may be on the disk at a time.
const FLOOD_BYTES: u64 = 200 << 20;

/// Tells the story in about so long; work that takes longer does.
pub(crate) fn tell(time: Option<Duration>) -> ExitCode {
    let screen = match Screen::open() {
        Ok(screen) => screen,
        Err(why) => return cannot_start(&why),
    };
    let scratch = match Scratch::make() {
        Ok(scratch) => scratch,
        Err(why) => return fail(&[why], EXIT_SYSTEM),
    };
    let mut show = Show::open(screen, scratch, time.unwrap_or(TIME) / BEATS);
    let told = scenes(&mut show);
    let ended = match &told {
        Err(Curtain::Unseen(_)) => Ok(()),
        Err(Curtain::Failed(_)) if !show.has_begun() => Ok(()),
        _ => summary(&mut show, matches!(told, Err(Curtain::Signal))),
    };
    let is_all_well = show.is_all_well();
    // Whatever is said below, everything is gone before.
    drop(show);
    match told.and(ended) {
        Err(Curtain::Failed(why)) => fail(&[why], EXIT_SYSTEM),
        Err(Curtain::Unseen(why)) if why.kind() == std::io::ErrorKind::BrokenPipe => ExitCode::from(EXIT_OUTPUT),
        Err(Curtain::Unseen(why)) => cannot_print(&why),
        Ok(()) | Err(Curtain::Signal) if is_all_well => ExitCode::SUCCESS,
        Ok(()) | Err(Curtain::Signal) => ExitCode::from(EXIT_WARNINGS),
    }
}

fn scenes(show: &mut Show) -> Result<(), Curtain> {
    show.say(
        Voice::Text,
        &format!(
            "An application writes log files into {}. sidetail streams them to stdout and stderr; one variable is set, \
             SIDETAIL_ROTATE_SIZE=4Mi. The demo reads both streams, and counts. Ctrl-C ends with the summary.",
            show.place()
        ),
    )?;
    show.start()?;
    show.pause(3)?;
    files_appear(show)?;
    an_exception_is_thrown(show)?;
    a_file_is_renamed(show)?;
    sidetail_is_killed(show)?;
    much_is_written(show)
}

/// Shows the heading of a scene.
fn title(show: &mut Show, text: &str) -> Result<(), Curtain> {
    show.say(Voice::Text, "")?;
    show.say(Voice::Title, text)
}

fn files_appear(show: &mut Show) -> Result<(), Curtain> {
    title(show, "1. Files appear, and their formats are detected")?;
    show.say(Voice::Application, "creates api.log (JSON), access.log (nginx) and orders.log (Java)")?;
    for _ in 0..2 {
        show.write("api.log", Application::json)?;
        show.write("access.log", |application| application.request(201))?;
        show.write("orders.log", Application::java)?;
        show.catch_up()?;
        show.pause(2)?;
    }
    show.pause(3)
}

fn an_exception_is_thrown(show: &mut Show) -> Result<(), Curtain> {
    title(show, "2. An exception goes to stderr, as one block")?;
    show.say(Voice::Application, "throws an exception, answers with status 500, and goes on")?;
    show.write("orders.log", Application::exception)?;
    show.catch_up()?;
    show.write("access.log", |application| application.request(500))?;
    show.write("orders.log", Application::java)?;
    show.catch_up()?;
    show.pause(7)
}

fn a_file_is_renamed(show: &mut Show) -> Result<(), Curtain> {
    title(show, "3. A file is renamed while the application writes to it")?;
    show.say(Voice::Application, "renames orders.log to orders.log.1, writes to it, creates a new orders.log")?;
    show.rename("orders.log", "orders.log.1")?;
    show.write("orders.log.1", Application::java)?;
    show.write("orders.log.1", Application::java)?;
    show.write("orders.log", Application::java)?;
    show.catch_up()?;
    show.pause(7)
}

fn sidetail_is_killed(show: &mut Show) -> Result<(), Curtain> {
    title(show, "4. sidetail is killed with -9, and goes on at its byte")?;
    let number = show.kill()?;
    show.say(Voice::Application, &format!("kill -9 {number}; writes to three files while nobody reads them"))?;
    show.write("api.log", Application::json)?;
    show.write("access.log", |application| application.request(201))?;
    show.write("orders.log", Application::java)?;
    show.pause(3)?;
    show.say(Voice::Application, "starts sidetail again")?;
    show.start()?;
    show.catch_up()?;
    show.pause(7)
}

fn much_is_written(show: &mut Show) -> Result<(), Curtain> {
    title(show, "5. 200 MiB are written, and du shows some MiB")?;
    show.say(Voice::Application, "writes batch.log; sidetail streams it, and reclaims what is streamed")?;
    show.flood("batch.log", FLOOD_BYTES, FLOOD_BEATS)
}

/// Ends sidetail, and shows what came of everything.
fn summary(show: &mut Show, is_interrupted: bool) -> Result<(), Curtain> {
    show.bring_back()?;
    show.end(Signal::TERM)?;
    title(show, if is_interrupted { "So far" } else { "Counted by the demo's own reader" })?;
    for (voice, text) in show.figures() {
        show.say(voice, &text)?;
    }
    Ok(())
}
