import ca.uhn.hl7v2.AcknowledgmentCode;
import ca.uhn.hl7v2.DefaultHapiContext;
import ca.uhn.hl7v2.HL7Exception;
import ca.uhn.hl7v2.app.HL7Service;
import ca.uhn.hl7v2.model.Message;
import ca.uhn.hl7v2.protocol.ReceivingApplication;
import ca.uhn.hl7v2.protocol.ReceivingApplicationException;
import ca.uhn.hl7v2.util.Terser;
import java.io.IOException;
import java.util.Map;

/** An HL7 receiver on HAPI's MLLP server: acknowledges each message, prints its control id. */
public class Receiver {
    public static void main(String[] args) throws InterruptedException {
        HL7Service server = new DefaultHapiContext().newServer(Integer.parseInt(args[0]), false);
        server.registerApplication("*", "*", new Taker());
        server.startAndWait();
    }

    static class Taker implements ReceivingApplication<Message> {
        public boolean canProcess(Message message) {
            return true;
        }

        public Message processMessage(Message message, Map<String, Object> metadata)
                throws ReceivingApplicationException, HL7Exception {
            System.out.println("received " + new Terser(message).get("/MSH-10"));
            try {
                return message.generateACK(AcknowledgmentCode.AA, null);
            } catch (IOException e) {
                throw new HL7Exception(e);
            }
        }
    }
}
