import ca.uhn.hl7v2.DefaultHapiContext;
import ca.uhn.hl7v2.HL7Exception;
import ca.uhn.hl7v2.app.Connection;
import ca.uhn.hl7v2.app.Initiator;
import ca.uhn.hl7v2.llp.LLPException;
import ca.uhn.hl7v2.model.Message;
import ca.uhn.hl7v2.util.Terser;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * HL7 senders on HAPI's connections, whose initiator finds the answer of a message by MSA-2. A message without an
 * answer is sent again, on a new connection, until it has one.
 *
 * <pre>
 * Sender HOST PORT TIMEOUT-MS files FILE...
 * Sender HOST PORT TIMEOUT-MS many CONNECTIONS THREADS COUNT PREFIX PACE-MS MSH-15 MSH-16
 * </pre>
 *
 * The second one sends COUNT messages in each of the THREADS of each connection, as PREFIX-CONNECTION-THREAD-NUMBER.
 * It ends early, between two messages, when there is a file "stop" in the folder hapi.home. It prints "acked ID CODE" of each, and
 * "again ID" before it sends one again.
 */
public class Sender {
    static int timeout;

    public static void main(String[] args) throws Exception {
        timeout = Integer.parseInt(args[2]);
        List<Thread> threads = new ArrayList<>();
        if (args[3].equals("files")) {
            Line line = new Line(args[0], Integer.parseInt(args[1]));
            for (int i = 4; i < args.length; i++) {
                line.deliver(Bytes.text(Files.readAllBytes(Path.of(args[i]))));
            }
        } else {
            for (int c = 0; c < Integer.parseInt(args[4]); c++) {
                Line line = new Line(args[0], Integer.parseInt(args[1]));
                for (int t = 0; t < Integer.parseInt(args[5]); t++) {
                    threads.add(start(line, args[7] + "-" + c + "-" + t, args));
                }
            }
        }
        for (Thread t : threads) {
            t.join();
        }
        System.out.println("finished");
        System.exit(0);
    }

    static Thread start(Line line, String patient, String[] args) {
        Path stop = Path.of(System.getProperty("hapi.home"), "stop");
        Thread t = new Thread(() -> {
            try {
                for (int n = 0; n < Integer.parseInt(args[6]) && !Files.exists(stop); n++) {
                    line.deliver("MSH|^~\\&|WARD|TEST|GANTRY|TEST|20240101120000||ADT^A01^ADT_A01|" + patient + "-" + n + "|T|2.5.1"
                            + (args[9].isEmpty() && args[10].isEmpty() ? "" : "|||" + args[9] + "|" + args[10])
                            + "\rEVN|A01|20240101120000\rPID|1||ZZ-GANTRY-" + patient + "^^^TEST||CONFORMANCE^INVENTED\rPV1|1|O\r");
                    Thread.sleep(Integer.parseInt(args[8]));
                }
            } catch (Exception e) {
                e.printStackTrace(System.out);
                System.exit(1);
            }
        });
        t.start();
        return t;
    }

    /** A connection that is made anew when it has failed. Threads may share it. */
    static class Line {
        private final DefaultHapiContext hapi = new DefaultHapiContext(); // one context shares its connections
        private final String host;
        private final int port;
        private Connection connection;

        Line(String host, int port) {
            this.host = host;
            this.port = port;
            hapi.setLowerLayerProtocol(Bytes.protocol());
        }

        void deliver(String text) throws Exception {
            Message message = hapi.getPipeParser().parse(text);
            String id = new Terser(message).get("/MSH-10");
            for (;;) {
                Connection c = open();
                try {
                    Initiator initiator = c.getInitiator();
                    initiator.setTimeout(timeout, TimeUnit.MILLISECONDS);
                    Terser answer = new Terser(initiator.sendAndReceive(message));
                    if (!id.equals(answer.get("/MSA-2"))) {
                        System.out.println("foreign " + id + " " + answer.get("/MSA-2"));
                    }
                    System.out.println("acked " + id + " " + answer.get("/MSA-1"));
                    return;
                } catch (HL7Exception | LLPException | IOException e) {
                    System.out.println("again " + id + " " + e.getMessage());
                    failed(c);
                }
            }
        }

        private synchronized Connection open() throws InterruptedException {
            while (connection == null || !connection.isOpen()) {
                if (connection != null) {
                    connection.close();
                }
                try {
                    connection = hapi.newClient(host, port, false);
                } catch (HL7Exception | RuntimeException e) {
                    connection = null;
                    Thread.sleep(20); // as senders do when nobody listens
                }
            }
            return connection;
        }

        private synchronized void failed(Connection c) {
            c.close();
            if (c == connection) {
                connection = null;
            }
        }
    }
}
