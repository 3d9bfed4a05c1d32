// The page's own icons, drawn here so that they look the same wherever there is no emoji font.

const SVG = "http://www.w3.org/2000/svg";

const PATHS = {
  bolt: "M9 1 3 9h4l-1 6 6-8H8z",
  clip: "M12.5 7.5 7.8 12.2a3 3 0 0 1-4.3-4.3l5.4-5.4a2 2 0 0 1 2.9 2.9L6.4 10.8a1 1 0 0 1-1.4-1.4l4.6-4.6",
  send: "M2 2l12.5 6L2 14l1.8-6zM3.8 8h6",
  close: "M3.5 3.5l9 9M12.5 3.5l-9 9",
  lock: "M3.5 7.5h9v6h-9zM5.5 7.5V5a2.5 2.5 0 0 1 5 0v2.5",
  file: "M4 1.5h5L12.5 5v9.5H4zM9 1.5V5h3.5",
  eye: "M1 8s2.5-4.5 7-4.5S15 8 15 8s-2.5 4.5-7 4.5S1 8 1 8zM8 6a2 2 0 1 1 0 4 2 2 0 0 1 0-4z",
  hash: "M6 2 4.5 14M11.5 2 10 14M2.5 5.5h11.5M2 10.5h11.5",
  dots: "M3 8h.01M8 8h.01M13 8h.01",
};

export function icon(name) {
  const drawn = document.createElementNS(SVG, "svg");
  for (const [key, value] of Object.entries({ viewBox: "0 0 16 16", class: `icon icon-${name}`, "aria-hidden": "true" })) {
    drawn.setAttribute(key, value);
  }
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", PATHS[name]);
  drawn.append(path);
  return drawn;
}
