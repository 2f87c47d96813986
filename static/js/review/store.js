// IndexedDB in promises: what waits to be sent, and what the server has confirmed.

export const CHANNEL = "mad-outbox"; // tells other tabs that something was stored
const NAME = "mad-web";
const OUTBOX = "outbox";
const RECEIPTS = "receipts";
const KEEP_RECEIPTS = 400;

function wait(request) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

function done(transaction) {
  return new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve();
    transaction.onabort = transaction.onerror = () => reject(transaction.error ?? new Error("storage refused"));
  });
}

/** @param {() => object[]} known entries that are still needed: written down again where somebody has cleared the storage */
export async function openStore(known) {
  let db = await connect();

  async function connect() {
    const opening = indexedDB.open(NAME, 1);
    opening.onupgradeneeded = () => {
      const outbox = opening.result.createObjectStore(OUTBOX, { keyPath: "seq", autoIncrement: true });
      opening.result.createObjectStore(RECEIPTS, { keyPath: "key" });
      for (const entry of known()) outbox.put(entry);
    };
    const opened = await wait(opening);
    opened.onversionchange = () => opened.close();
    return opened;
  }

  /** The browser may close the storage at any time, as when somebody clears it: then it is opened again. */
  async function begin(...how) {
    try {
      return db.transaction(...how);
    } catch (error) {
      if (error.name !== "InvalidStateError") throw error;
      db = await connect();
      return db.transaction(...how);
    }
  }

  function write(stores, durability = "strict") {
    return begin(stores, "readwrite", { durability });
  }

  return {
    /** Put an entry at the end. When the promise is kept it outlives the browser; after a flush a power cut too. */
    async add(entry) {
      const transaction = await write([OUTBOX], "relaxed");
      const seq = await wait(transaction.objectStore(OUTBOX).add(entry));
      await done(transaction);
      return { ...entry, seq };
    },
    /** Bring to the disk what was written before: the log of the storage is flushed as a whole. */
    async flush() {
      const transaction = await write([RECEIPTS]);
      transaction.objectStore(RECEIPTS).put({ key: "flushed", at: Date.now() });
      await done(transaction);
    },
    async put(entry) {
      const transaction = await write([OUTBOX]);
      transaction.objectStore(OUTBOX).put(entry);
      await done(transaction);
    },
    async entries() {
      return wait((await begin([OUTBOX])).objectStore(OUTBOX).getAll());
    },
    async remove(seq) {
      const transaction = await write([OUTBOX]);
      transaction.objectStore(OUTBOX).delete(seq);
      await done(transaction);
    },
    async receipt(key) {
      return wait((await begin([RECEIPTS])).objectStore(RECEIPTS).get(key));
    },
    /** Take an entry out against its receipt, both or neither. */
    async settle(entry, receipt) {
      const transaction = await write([OUTBOX, RECEIPTS]);
      const receipts = transaction.objectStore(RECEIPTS);
      receipts.put({ ...receipt, key: entry.key, at: Date.now() });
      transaction.objectStore(OUTBOX).delete(entry.seq);
      await done(transaction);
    },
    /** Forget all but the newest receipts. */
    async prune() {
      const transaction = await write([RECEIPTS]);
      const receipts = transaction.objectStore(RECEIPTS);
      const all = await wait(receipts.getAll());
      const old = all.sort((a, b) => b.at - a.at).slice(KEEP_RECEIPTS);
      for (const receipt of old) receipts.delete(receipt.key);
      await done(transaction);
    },
  };
}
