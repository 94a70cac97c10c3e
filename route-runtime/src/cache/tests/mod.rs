mod epoch;
mod flight;
mod model;
