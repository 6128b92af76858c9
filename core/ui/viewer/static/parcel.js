// Brings bytes from Python to the viewer, and tells Python where the viewer looks.
//
// What is large travels in an element of its own, because Streamlit sends an element again only when it
// changed: choosing another star must not cost the picture a second time. A parcel is the length of its
// header (32 bit), the header (JSON, with the lengths of the blobs), and the blobs.

const parcels = (globalThis.almagestParcels ??= Object.assign(new EventTarget(), { held: new Map() }));

function unpack(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const start = 4 + view.getUint32(0, true);
  const header = JSON.parse(new TextDecoder().decode(bytes.subarray(4, start)));
  let at = start;
  const blobs = header.blobs.map((length) => {
    // A copy, because typed arrays need their numbers aligned in memory.
    const blob = bytes.slice(at, at + length).buffer;
    at += length;
    return blob;
  });
  return { header, blobs };
}

export default function ({ data, setStateValue }) {
  if (!data || !data.byteLength) return undefined;
  const parcel = { ...unpack(data), report: (view) => setStateValue("view", view) };
  const { slot } = parcel.header;
  parcels.held.set(slot, parcel);
  parcels.dispatchEvent(new CustomEvent("arrived", { detail: slot }));
  return () => {
    if (parcels.held.get(slot)?.header.id === parcel.header.id) parcels.held.delete(slot);
  };
}
